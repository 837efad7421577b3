"""Every error that `pul` raises on purpose.

    PulError
    ├── ConfigError         a setting or an argument is outside what is allowed
    ├── DataError           the user's data cannot be used as it is
    │   ├── DatasetError    a folder or list is not of any layout we read
    │   └── ImageError      one image file cannot be decoded
    ├── FeatureError        an array of features is misshapen or not finite
    ├── ModelError          a network, its weights or a checkpoint cannot be used
    ├── EvaluationError     no figure can be computed from these queries and this gallery
    ├── StoreError          a workspace cannot be read or written
    │   ├── WorkspaceError  there is no workspace, or one of another version
    │   └── ArtifactError   a stored array or checkpoint is missing or damaged
    └── JobError            a job cannot be started, steered or finished

A message says what is wrong, the value, and what would be right: the screen shows it as it stands.
"""


class PulError(Exception):
    """Base of all errors of this package; catch it to catch them all."""


class ConfigError(PulError):
    """A setting or an argument is outside what is allowed."""


class DataError(PulError):
    """The user's data cannot be used as it is."""


class DatasetError(DataError):
    """A folder or a list is not of any layout that we read."""


class ImageError(DataError):
    """One image file cannot be decoded."""


class FeatureError(PulError):
    """An array of features is misshapen or holds values that are not finite."""


class ModelError(PulError):
    """A network, its weights or a checkpoint cannot be used."""


class EvaluationError(PulError):
    """No figure can be computed from these queries and this gallery."""


class StoreError(PulError):
    """A workspace cannot be read or written."""


class WorkspaceError(StoreError):
    """There is no workspace at this place, or one of another version."""


class ArtifactError(StoreError):
    """A stored array or checkpoint is missing or damaged."""


class JobError(PulError):
    """A job cannot be started, steered or finished."""
