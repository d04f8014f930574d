"""A certificate authority for one local cloud, trusted beside the roots that the machine trusts already."""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import trustme

from hosted_model_local import run_folder

# Each of these replaces the default roots of the programs that read it, NODE_EXTRA_CA_CERTS adds to them.
REPLACING = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "CURL_CA_BUNDLE")
ADDING = ("NODE_EXTRA_CA_CERTS",)


@dataclass(frozen=True)
class Certificates:
    """Where the PEM files are: the server's certificate and key, and the bundle that clients need."""

    certfile: Path
    keyfile: Path
    bundle: Path


def make(folder: Path, environment: Mapping[str, str]) -> Certificates:
    """Make an authority, a certificate for localhost and 127.0.0.1, and a bundle of old roots and new.

    A bundle of the new authority alone would break pip, npm and curl where a proxy has roots of its own.
    """
    authority = trustme.CA(organization_name="hosted-model-local")
    server = authority.issue_cert("localhost", "127.0.0.1", "*.localhost")
    certificates = Certificates(folder / "server.pem", folder / "server.key", folder / run_folder.BUNDLE)
    certificates.keyfile.touch(mode=0o600)
    server.private_key_pem.write_to_path(certificates.keyfile)
    for number, blob in enumerate(server.cert_chain_pems):
        blob.write_to_path(certificates.certfile, append=number > 0)
    parts = [
        authority.cert_pem.bytes().strip(),
        *(path.read_bytes().strip() for path in old_roots(environment)),
    ]
    certificates.bundle.write_bytes(b"\n".join(parts) + b"\n")
    return certificates


def old_roots(environment: Mapping[str, str]) -> list[Path]:
    """The files with the roots that programs in this environment trust, each once."""
    named = [Path(environment[name]) for name in REPLACING if environment.get(name)]
    found = [path for path in named if path.is_file()] or _default_roots()
    found += [Path(environment[name]) for name in ADDING if environment.get(name)]
    return list(dict.fromkeys(path.resolve() for path in found if path.is_file()))


def _default_roots() -> list[Path]:
    paths = ssl.get_default_verify_paths()
    for candidate in (paths.cafile, paths.openssl_cafile):
        if candidate and os.path.isfile(candidate):
            return [Path(candidate)]
    import botocore

    # botocore carries Mozilla's roots, and ministack needs botocore.
    return [Path(botocore.__file__).with_name("cacert.pem")]
