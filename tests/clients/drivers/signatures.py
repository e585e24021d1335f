"""
Signs a file with openstacksdk's signer, or verifies one with cursive, the library of Glance and Nova.

Reads a task from standard input and prints a line of JSON: the signature, or whether it is right.
"""

import base64
import json
import sys


def main():
    """Do what the task says."""
    task = json.load(sys.stdin)
    print(json.dumps({"sign": signed, "verify": verified}[task.pop("do")](**task)))


def signed(key, data):
    """Return the signature of the file *data* as openstackclient has it made."""
    from openstack.image.image_signer import ImageSigner

    signer = ImageSigner()
    signer.load_private_key(key)
    with open(data, "rb") as file:
        signature = base64.b64encode(signer.generate_signature(file)).decode()
    return {
        "img_signature": signature,
        "img_signature_hash_method": signer.hash_method,
        "img_signature_key_type": signer.padding_method,
    }


def verified(certificate, data, properties):
    """Tell whether cursive finds the signature right; the key manager has *certificate*."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cursive import signature_utils

    with open(certificate, "rb") as file:
        found = x509.load_pem_x509_certificate(file.read())
    signature_utils.get_certificate = lambda context, certificate_id: found
    assert signature_utils.should_create_verifier(properties)
    verifier = signature_utils.get_verifier(
        None,
        properties["img_signature_certificate_uuid"],
        properties["img_signature_hash_method"],
        properties["img_signature"],
        properties["img_signature_key_type"],
    )
    with open(data, "rb") as file:
        while block := file.read(65536):
            verifier.update(block)
    try:
        verifier.verify()
    except InvalidSignature:
        return False
    return True


main()
