"""Our subset protos against the descriptors embedded in the Envoy binary itself."""

import mmap
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

from pointsman.transports.wire import accesslog_pb2, extproc_pb2

pytestmark = pytest.mark.envoy

_FILE_FIELDS = {1: 2, 2: 2, 3: 2, 10: 0, 11: 0, 4: 2, 5: 2, 6: 2, 7: 2, 8: 2, 9: 2, 12: 2, 14: 0}
"""Fields of FileDescriptorProto and their wire types: walking them finds where one ends."""

_SOURCES = (
    "envoy/service/ext_proc/v3/external_processor.proto",
    "envoy/extensions/filters/http/ext_proc/v3/processing_mode.proto",
    "envoy/config/core/v3/base.proto",
    "envoy/config/core/v3/address.proto",
    "envoy/type/v3/http_status.proto",
    "envoy/data/accesslog/v3/accesslog.proto",
    "envoy/service/accesslog/v3/als.proto",
)


def _varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _file_at(data: mmap.mmap, start: int) -> FileDescriptorProto:
    at = start
    while True:
        tag, after = _varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if _FILE_FIELDS.get(number) != wire_type or (number == 1 and at != start):
            break
        size, after = _varint(data, after)
        at = after + size if wire_type == 2 else after
        if number == 12:
            break
    return FileDescriptorProto.FromString(data[start:at])


def _embedded(binary: Path) -> dict[str, DescriptorProto]:
    found: dict[str, DescriptorProto] = {}
    with binary.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for source in _SOURCES:
            name = source.encode()
            at = data.find(b"\n" + bytes([len(name)]) + name + b"\x12")
            assert at >= 0, source
            for message in _file_at(data, at).message_type:
                found[message.name] = message
                found.update({f"{message.name}.{inner.name}": inner for inner in message.nested_type})
    return found


def _messages(file: FileDescriptor) -> Iterator[tuple[str, Descriptor]]:
    for message in file.message_types_by_name.values():
        yield message.name, message
        for inner in message.nested_types:
            yield f"{message.name}.{inner.name}", inner


def _type(number: int) -> int:
    """int32 and enum are the same varint."""
    return FieldDescriptor.TYPE_INT32 if number == FieldDescriptor.TYPE_ENUM else number


@pytest.mark.parametrize("file", [extproc_pb2.DESCRIPTOR, accesslog_pb2.DESCRIPTOR], ids=lambda f: f.package)
def test_every_field_has_the_number_type_and_cardinality_of_envoys_own_descriptor(
    file: FileDescriptor, envoy_binary: Path
) -> None:
    """A subset proto is wire-compatible only while each name, number, type and label equals Envoy's."""
    embedded = _embedded(envoy_binary)
    checked = 0
    for name, message in _messages(file):
        theirs = {field.name: field for field in embedded[name].field}
        for field in message.fields:
            other = theirs[field.name]
            assert field.number == other.number, f"{name}.{field.name}"
            assert _type(field.type) == _type(other.type), f"{name}.{field.name}"
            assert field.is_repeated == (other.label == FieldDescriptorProto.LABEL_REPEATED), (
                f"{name}.{field.name}"
            )
            checked += 1
    assert checked > 60


def test_every_enum_value_has_envoys_number(envoy_binary: Path) -> None:
    """The nested enums we send (modes, append actions) carry Envoy's numbers."""
    embedded = _embedded(envoy_binary)
    for name in ("ProcessingMode", "HeaderValueOption", "CommonResponse"):
        ours = extproc_pb2.DESCRIPTOR.message_types_by_name[name]
        theirs = {enum.name: enum for enum in embedded[name].enum_type}
        for enum in ours.enum_types:
            expected = {value.name: value.number for value in theirs[enum.name].value}
            assert {value.name: value.number for value in enum.values} == expected


def test_generated_files_name_no_foreign_package() -> None:
    """The generated modules carry private packages, so an official copy can live beside them."""
    for file in (extproc_pb2.DESCRIPTOR, accesslog_pb2.DESCRIPTOR):
        assert re.match(r"pointsman\.", file.package)
        assert all(not name.startswith("envoy/") for name in (d.name for d in file.dependencies))
