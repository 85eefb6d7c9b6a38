"""What can go wrong, as exceptions.

EdgeanonError
├── ConfigError (ValueError)     a setting, a manifest or an argument is wrong
├── ModelError (RuntimeError)    a model is missing, altered, or its outputs do not fit its decoder
├── DeviceError (RuntimeError)   none of the asked devices can run a model
├── MediaError (OSError)         a file cannot be read to its end, or written
└── LeakError (RuntimeError)     the output would show what it must not

Each is also the builtin in brackets, so ``except ValueError`` catches a ``ConfigError``. Errors of the libraries
underneath are translated where those are imported; the original stays in ``__cause__``. A message names its subject,
the fact, and what can be done. Messages may name the user's files, and log records never do.
"""


class EdgeanonError(Exception):
    """Root of everything that edgeanon raises on purpose."""


class ConfigError(EdgeanonError, ValueError):
    """A setting, a manifest or an argument is wrong."""


class ModelError(EdgeanonError, RuntimeError):
    """A model is missing or altered, or its outputs do not fit its decoder."""


class DeviceError(EdgeanonError, RuntimeError):
    """None of the asked devices can run the model."""


class MediaError(EdgeanonError, OSError):
    """A media file cannot be read to its end, or cannot be written."""


class LeakError(EdgeanonError, RuntimeError):
    """The output would show what it must not; it was withheld."""
