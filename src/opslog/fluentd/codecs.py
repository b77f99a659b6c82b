"""The encodings of events by their names; msgpack is imported only where it is spoken."""

from __future__ import annotations

from dataclasses import dataclass

from opslog.fluentd.events import Decoder, Encoder
from opslog.fluentd.json import JsonDecoder, encode_json
from opslog.fluentd.table import LtsvDecoder, TsvDecoder, TsvEncoder, encode_ltsv


@dataclass(frozen=True, slots=True)
class Shape:
    """An encoding: json, msgpack, tsv or ltsv; ``keys`` are those of a line of ``tsv``."""

    kind: str
    keys: tuple[str, ...] = ()

    def decoder(self) -> Decoder:
        """Return what reads it."""
        if self.kind == "msgpack":
            from opslog.fluentd.msgpack import MsgpackDecoder

            return MsgpackDecoder()
        if self.kind == "json":
            return JsonDecoder()
        return TsvDecoder(self.keys) if self.kind == "tsv" else LtsvDecoder()

    def encoder(self) -> Encoder:
        """Return what writes it."""
        if self.kind == "msgpack":
            from opslog.fluentd.msgpack import encode_msgpack

            return encode_msgpack
        if self.kind == "json":
            return encode_json
        return TsvEncoder(self.keys) if self.kind == "tsv" else encode_ltsv
