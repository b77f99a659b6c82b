"""The compiled kernels; everything else stands in pyproject.toml."""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

# OPSLOG_CHECKED=1 builds for fuzzing: address sanitizer, undefined-behaviour
# sanitizer and Cython's own bounds checks.
CHECKED = os.environ.get("OPSLOG_CHECKED") == "1"
FLAGS = (
    ["-O1", "-g", "-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
    if CHECKED
    else ["-O3", "-fno-plt"]
)
KERNELS = sorted(path.stem for path in Path("src/opslog").glob("*.pyx"))

setup(
    ext_modules=cythonize(
        [
            Extension(
                f"opslog.{name}",
                [f"src/opslog/{name}.pyx"],
                depends=["src/opslog/_vector.h"],
                include_dirs=["src/opslog"],
                extra_compile_args=[*FLAGS, "-D_GNU_SOURCE"],
                extra_link_args=["-fsanitize=address,undefined"] if CHECKED else [],
            )
            for name in KERNELS
        ],
        include_path=["src"],
        # Here and not in the files: a .pxd would not inherit those of a .pyx.
        compiler_directives={
            "language_level": 3,
            "boundscheck": CHECKED,
            "wraparound": False,
            "cdivision": True,
        },
        build_dir="build/cython",
    )
)
