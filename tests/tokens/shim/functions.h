/*
 * The functions of a module, in the order in which the standard lists them: PASSED ones go to the real module as they are,
 * SPOILED ones go through this shim, NEEDLESS ones no test calls, and the shim refuses them.
 */
#define FUNCTIONS(PASSED, SPOILED, NEEDLESS) \
    SPOILED(Initialize, (void *arguments), (arguments)) \
    PASSED(Finalize, (void *reserved), (reserved)) \
    PASSED(GetInfo, (void *info), (info)) \
    SPOILED(GetFunctionList, (Functions * *list), (list)) \
    SPOILED(GetSlotList, (Byte with_token, Number * slots, Number * count), (with_token, slots, count)) \
    SPOILED(GetSlotInfo, (Number slot, void *info), (slot, info)) \
    SPOILED(GetTokenInfo, (Number slot, TokenInfo * info), (slot, info)) \
    SPOILED(GetMechanismList, (Number slot, Number * list, Number * count), (slot, list, count)) \
    SPOILED(GetMechanismInfo, (Number slot, Number type, MechanismInfo * info), (slot, type, info)) \
    PASSED(InitToken, (Number slot, Byte * pin, Number length, char *label), (slot, pin, length, label)) \
    PASSED(InitPIN, (Number session, Byte * pin, Number length), (session, pin, length)) \
    NEEDLESS(SetPIN) \
    SPOILED(OpenSession, (Number slot, Number flags, void *application, void *notify, Number *session), \
            (slot, flags, application, notify, session)) \
    SPOILED(CloseSession, (Number session), (session)) \
    SPOILED(CloseAllSessions, (Number slot), (slot)) \
    SPOILED(GetSessionInfo, (Number session, void *info), (session, info)) \
    NEEDLESS(GetOperationState) \
    NEEDLESS(SetOperationState) \
    SPOILED(Login, (Number session, Number user, Byte * pin, Number length), (session, user, pin, length)) \
    PASSED(Logout, (Number session), (session)) \
    PASSED(CreateObject, (Number session, Attribute * template, Number count, Number * object), \
           (session, template, count, object)) \
    NEEDLESS(CopyObject) \
    PASSED(DestroyObject, (Number session, Number object), (session, object)) \
    NEEDLESS(GetObjectSize) \
    SPOILED(GetAttributeValue, (Number session, Number object, Attribute * template, Number count), \
            (session, object, template, count)) \
    NEEDLESS(SetAttributeValue) \
    SPOILED(FindObjectsInit, (Number session, Attribute * template, Number count), (session, template, count)) \
    SPOILED(FindObjects, (Number session, Number * objects, Number most, Number * count), \
            (session, objects, most, count)) \
    PASSED(FindObjectsFinal, (Number session), (session)) \
    NEEDLESS(EncryptInit) \
    NEEDLESS(Encrypt) \
    NEEDLESS(EncryptUpdate) \
    NEEDLESS(EncryptFinal) \
    NEEDLESS(DecryptInit) \
    NEEDLESS(Decrypt) \
    NEEDLESS(DecryptUpdate) \
    NEEDLESS(DecryptFinal) \
    PASSED(DigestInit, (Number session, Mechanism * mechanism), (session, mechanism)) \
    PASSED(Digest, (Number session, Byte * data, Number length, Byte * digest, Number * digest_length), \
           (session, data, length, digest, digest_length)) \
    NEEDLESS(DigestUpdate) \
    NEEDLESS(DigestKey) \
    NEEDLESS(DigestFinal) \
    SPOILED(SignInit, (Number session, Mechanism * mechanism, Number key), (session, mechanism, key)) \
    SPOILED(Sign, (Number session, Byte * data, Number length, Byte * signature, Number * signature_length), \
            (session, data, length, signature, signature_length)) \
    SPOILED(SignUpdate, (Number session, Byte * data, Number length), (session, data, length)) \
    SPOILED(SignFinal, (Number session, Byte * signature, Number * signature_length), \
            (session, signature, signature_length)) \
    NEEDLESS(SignRecoverInit) \
    NEEDLESS(SignRecover) \
    NEEDLESS(VerifyInit) \
    NEEDLESS(Verify) \
    NEEDLESS(VerifyUpdate) \
    NEEDLESS(VerifyFinal) \
    NEEDLESS(VerifyRecoverInit) \
    NEEDLESS(VerifyRecover) \
    NEEDLESS(DigestEncryptUpdate) \
    NEEDLESS(DecryptDigestUpdate) \
    NEEDLESS(SignEncryptUpdate) \
    NEEDLESS(DecryptVerifyUpdate) \
    NEEDLESS(GenerateKey) \
    NEEDLESS(GenerateKeyPair) \
    NEEDLESS(WrapKey) \
    NEEDLESS(UnwrapKey) \
    NEEDLESS(DeriveKey) \
    NEEDLESS(SeedRandom) \
    NEEDLESS(GenerateRandom) \
    NEEDLESS(GetFunctionStatus) \
    NEEDLESS(CancelFunction) \
    NEEDLESS(WaitForSlotEvent)
