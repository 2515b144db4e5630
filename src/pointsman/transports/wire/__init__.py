"""Subset protos of the two gRPC services Envoy calls: ext_proc and the access log.

Hand-written (``*.proto``: real field numbers, private package names), because the official packages own the
same top-level module as the Envoy wheel. Generated files are checked in; to renew them, from the root (the
second line is for mypy strict, which protoc's bare ``Mapping`` does not satisfy)::

    python -m grpc_tools.protoc -I src --python_out=src --pyi_out=src src/pointsman/transports/wire/*.proto
    sed -i '1i # mypy: disable-error-code=type-arg' src/pointsman/transports/wire/*_pb2.pyi
"""
