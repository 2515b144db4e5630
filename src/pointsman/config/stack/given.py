"""What was asked for: the command line's word before the file's, the file's before the defaults."""

from collections.abc import Mapping
from typing import Any

import msgspec

from pointsman.config.faults import error
from pointsman.config.stack.flags import FLAGS, FLAGS_BY_KEY
from pointsman.config.translate import nearest
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem


class Given(msgspec.Struct, frozen=True):
    """The values of flags, by key."""

    values: Mapping[str, Any]
    """Those that were given somewhere."""
    places: Mapping[str, str] = {}
    """Where each was given, in words for messages."""

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def __getitem__(self, key: str) -> Any:
        """The value that holds, which is the default where none was given."""
        flag = FLAGS_BY_KEY[key]
        return self.values.get(key, flag.default)

    def where(self, key: str) -> str:
        """What to call the flag in a message."""
        return self.places.get(key, FLAGS_BY_KEY[key].option)


def gather(flags: Mapping[str, Any], written: Mapping[str, Any], file: str = "") -> Given:
    """What holds, of ``flags`` given on the command line and what was ``written`` in a file, both by key.

    Raises ConfigError with every value that is none of its flag's, and every key of the file that is no
    flag's.
    """
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    places: dict[str, str] = {}
    known = [flag.key for flag in FLAGS]
    for key in written:
        if key not in FLAGS_BY_KEY:
            near = nearest(key, known)
            message = f"{file} has the key {key!r}, which is no flag of the router"
            problems.append(error(key, message, f"did you mean {near}?" if near else "remove it"))
    for flag in FLAGS:
        for source, where in ((flags, flag.option), (written, f"{flag.key} (in {file})")):
            if flag.key in source and source[flag.key] is not None:
                try:
                    values[flag.key] = flag.read(source[flag.key], where)
                except ConfigError as wrong:
                    problems.extend(wrong.problems)
                places[flag.key] = where
                break
    if problems:
        raise ConfigError(problems)
    return Given(values, places)
