"""What the format borrows from elsewhere: XXH3 and zstd by their libraries, BLAKE2b from Python."""

import ctypes
import ctypes.util
import hashlib


def library(name, soname):
    for candidate in (soname, ctypes.util.find_library(name)):
        try:
            if candidate:
                return ctypes.CDLL(candidate)
        except OSError:
            pass
    raise SystemExit(f"lib{name} is missing")


_xxhash = library("xxhash", "libxxhash.so.0")
_xxhash.XXH3_64bits_withSeed.restype = ctypes.c_uint64
_xxhash.XXH3_64bits_withSeed.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64)

_zstd = library("zstd", "libzstd.so.1")
for _name, _result, _arguments in (
    ("ZSTD_getFrameContentSize", ctypes.c_uint64, (ctypes.c_char_p, ctypes.c_size_t)),
    ("ZSTD_findFrameCompressedSize", ctypes.c_size_t, (ctypes.c_char_p, ctypes.c_size_t)),
    ("ZSTD_getDictID_fromFrame", ctypes.c_uint, (ctypes.c_char_p, ctypes.c_size_t)),
    ("ZSTD_createDCtx", ctypes.c_void_p, ()),
    ("ZSTD_DCtx_refPrefix", ctypes.c_size_t, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)),
    ("ZSTD_decompressDCtx", ctypes.c_size_t,
     (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)),
):
    getattr(_zstd, _name).restype = _result
    getattr(_zstd, _name).argtypes = _arguments


def xxh3(data, seed):
    return _xxhash.XXH3_64bits_withSeed(bytes(data), len(data), seed & (1 << 64) - 1)


def blake2b(data):
    return hashlib.blake2b(data, digest_size=32).digest()


class NotZstd(Exception):
    """`header`: the bytes are not one frame with that size; otherwise they do not decompress to
    it."""

    def __init__(self, header):
        super().__init__("zstd")
        self.header = header


_context = _zstd.ZSTD_createDCtx()


def zstd_size(data):
    """The content size that a zstd frame says, or None."""
    size = _zstd.ZSTD_getFrameContentSize(bytes(data), len(data))
    return size if data[:4] == b"\x28\xb5\x2f\xfd" and size < (1 << 64) - 2 else None


def unzstd(data, size, prefix=b""):
    """One zstd frame without dictionary id whose header says `size`, decompressed; `prefix` stands
    in front of it."""
    data = bytes(data)
    if zstd_size(data) != size or _zstd.ZSTD_findFrameCompressedSize(data, len(data)) != len(data):
        raise NotZstd(True)
    if _zstd.ZSTD_getDictID_fromFrame(data, len(data)):
        raise NotZstd(True)
    out = ctypes.create_string_buffer(max(size, 1))
    _zstd.ZSTD_DCtx_refPrefix(_context, prefix, len(prefix))
    if _zstd.ZSTD_decompressDCtx(_context, out, size, data, len(data)) != size:
        raise NotZstd(False)
    return out.raw[:size]
