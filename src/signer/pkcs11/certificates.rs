//! The certificates that a token holds beside its keys.

use cryptoki::error::Error;
use cryptoki::object::{Attribute, AttributeType, CertificateType, ObjectClass};
use cryptoki::session::Session;

use super::answer;
use crate::limits;

/// The X.509 certificates of the token, in DER. `None` if there are more than are read.
pub(super) fn read(session: &Session) -> Result<Option<Vec<Vec<u8>>>, Error> {
    let template = [Attribute::Class(ObjectClass::CERTIFICATE), Attribute::CertificateType(CertificateType::X_509)];
    let found = session.find_objects(&template)?;
    if found.len() > limits::TOKEN_CERTIFICATES {
        return Ok(None);
    }
    let mut certificates = Vec::with_capacity(found.len());
    for handle in found {
        // A certificate that cannot be read is as good as none: it may be a stranger's.
        let attributes = match session.get_attributes(handle, &[AttributeType::Value]) {
            Ok(attributes) => attributes,
            Err(error) if answer::is_gone(&error) => return Err(error),
            Err(_) => continue,
        };
        certificates.extend(attributes.into_iter().find_map(|attribute| match attribute {
            Attribute::Value(der) if der.len() <= limits::CERTIFICATE_BYTES => Some(der),
            _ => None,
        }));
    }
    certificates.sort();
    certificates.dedup();
    Ok(Some(certificates))
}
