"""Ed25519 signatures, with keys as ``openssl`` makes them. The only place that imports ``cryptography``, lazily.

openssl genpkey -algorithm ed25519 -out key.pem
openssl pkey -in key.pem -pubout -out key.pub
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from edgeanon.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_MAKE = "openssl genpkey -algorithm ed25519 -out key.pem"
_PUBLISH = "openssl pkey -in key.pem -pubout -out key.pub"


class PublicKey:
    """What a signature is checked with.

    Attributes:
        sha256: what identifies it: SHA-256 of its DER form, as
            ``openssl pkey -pubin -in key.pub -outform DER | sha256sum`` prints it.
    """

    def __init__(self, key: "Ed25519PublicKey") -> None:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

        self._key = key
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.sha256 = hashlib.sha256(der).hexdigest()

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """A public key from a PEM file.

        Raises:
            ConfigError: it cannot be read or is no such key, or ``cryptography`` is not installed.
        """
        with _read(path, f"no public Ed25519 key in PEM: make one with `{_PUBLISH}`") as content:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
            from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

            key = load_pem_public_key(content)
            if not isinstance(key, Ed25519PublicKey):
                raise TypeError
            return cls(key)

    def confirms(self, signature: bytes, content: bytes) -> bool:
        """Whether the signature was made over this content with the private key that belongs to this one."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

        try:
            self._key.verify(signature, content)
        except InvalidSignature:
            return False
        return True


class PrivateKey:
    """What a report is signed with."""

    def __init__(self, key: "Ed25519PrivateKey") -> None:
        self._key = key

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """A private key from a PEM file without a passphrase.

        Raises:
            ConfigError: it cannot be read, is no such key or has a passphrase, or ``cryptography`` is not installed.
        """
        with _read(path, f"no private Ed25519 key in PEM without a passphrase: make one with `{_MAKE}`") as content:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
            from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

            key = load_pem_private_key(content, password=None)
            if not isinstance(key, Ed25519PrivateKey):
                raise TypeError
            return cls(key)

    @property
    def public(self) -> PublicKey:
        """The key that confirms its signatures."""
        return PublicKey(self._key.public_key())

    def sign(self, content: bytes) -> bytes:
        """The signature over some content, 64 bytes."""
        return self._key.sign(content)


@contextmanager
def _read(path: str | Path, what_else: str) -> Iterator[bytes]:
    """The content of a file of a key; what goes wrong with it is said without a byte of it."""
    try:
        import cryptography.exceptions  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError("signatures need the package cryptography: pip install 'edgeanon[audit]'") from error
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: the key cannot be read ({error.strerror})") from error
    try:
        yield content
    except (ValueError, TypeError, cryptography.exceptions.UnsupportedAlgorithm):
        raise ConfigError(f"{path} is {what_else}") from None
