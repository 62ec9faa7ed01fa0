#!/bin/sh
# Makes the certificates of this folder. The library that signs in the tests refuses SHA-1 and MD5, openssl does not.
set -eu
cd "$(dirname "$0")"
ca='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n'
leaf='basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n'
printf "$ca" > ca.ext
printf "$leaf" > leaf.ext
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa-root.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec-root.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out leaf.key
openssl req -new -key leaf.key -subj "/C=US/ST=WA/O=acme/CN=leaf" -out leaf.csr
for pair in rsa:sha256 rsa:sha1 rsa:md5 ec:sha256 ec:sha1; do
    kind=${pair%:*} hash=${pair#*:}
    openssl req -new -key "$kind-root.key" -subj "/C=US/ST=WA/O=acme/CN=$kind root" -out root.csr
    openssl x509 -req -in root.csr -key "$kind-root.key" -days 14600 "-$hash" -extfile ca.ext -out "$kind-root-$hash.crt"
done
for pair in rsa:sha256 rsa:sha1 rsa:md5 ec:sha256 ec:sha1; do
    kind=${pair%:*} hash=${pair#*:}
    openssl x509 -req -in leaf.csr -CA "$kind-root-sha256.crt" -CAkey "$kind-root.key" -set_serial 2 -days 14600 "-$hash" \
        -extfile leaf.ext -out "$kind-leaf-$hash.crt"
done
rm -f -- *.csr *.ext rsa-root.key ec-root.key
