"""The errors of boto3 become ours, here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
)
from botocore.exceptions import ConnectionError as UnreachableError

from chainkeep.errors import BlobError, BlobNotFoundError, TransientBlobError

__all__ = ["s3_errors"]

_UNREACHABLE = (
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    OSError,
    UnreachableError,
)
_MISSING = {"404", "NoSuchKey", "NotFound"}
_BUSY = {
    "InternalError",
    "OperationAborted",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
}
_BUSY_STATUS = {408, 429}

_CREDENTIALS = "check the access key and the secret key"
_REGION = "set the bucket's region"
_NEXT_STEP = {
    "403": "allow these credentials to read, write, delete and list in the bucket",
    "AccessDenied": "allow these credentials to read, write, delete and list in the bucket",
    "AuthorizationHeaderMalformed": _REGION,
    "EntityTooLarge": "choose a larger multipart_part_size",
    "ExpiredToken": "renew the credentials",
    "IllegalLocationConstraintException": _REGION,
    "InvalidAccessKeyId": _CREDENTIALS,
    "NoSuchBucket": "make the bucket, or correct its name",
    "PermanentRedirect": _REGION,
    "RequestTimeTooSkewed": "set this machine's clock",
    "SignatureDoesNotMatch": _CREDENTIALS,
}


@contextmanager
def s3_errors(action: str, key: str) -> Iterator[None]:
    """Turns boto3's errors into ours: ``Cannot store blob abc: AccessDenied (403); allow …``.

    What a server says in words is left out, for some repeat the request with its signature.
    """
    try:
        yield
    except ClientError as error:
        _raise_refused(f"Cannot {action} {key}", error)
    except _UNREACHABLE as error:
        raise TransientBlobError(
            f"Cannot {action} {key}: the store is out of reach ({type(error).__name__});"
            " check endpoint_url and the network."
        ) from error
    except NoCredentialsError as error:
        raise BlobError(
            f"Cannot {action} {key}: there are no credentials; set AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY, or give the machine a role."
        ) from error
    except (BotoCoreError, Boto3Error, ValueError) as error:
        raise BlobError(
            f"Cannot {action} {key}: boto3 does not accept the request ({type(error).__name__});"
            " check the options of the store."
        ) from error


def _raise_refused(message: str, error: ClientError) -> NoReturn:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _MISSING:
        raise BlobNotFoundError(f"{message}: it is not there.") from error
    message = f"{message}: {code} ({status})"
    if code in _BUSY or status in _BUSY_STATUS or status >= 500:
        raise TransientBlobError(f"{message}; the store is busy, try again.") from error
    step = _NEXT_STEP.get(code, "look this code up in the store's documentation")
    raise BlobError(f"{message}; {step}.") from error
