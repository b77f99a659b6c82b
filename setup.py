"""The compiled kernels; everything else stands in pyproject.toml."""

import multiprocessing
import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup

# OPSLOG_CHECKED=1 builds for fuzzing: address sanitizer, undefined-behaviour
# sanitizer and Cython's own bounds checks.
CHECKED = os.environ.get("OPSLOG_CHECKED") == "1"
FLAGS = (
    ["-O1", "-g", "-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
    if CHECKED
    else ["-O3", "-fno-plt"]
)
SOURCE = Path("src")
KERNELS = sorted(SOURCE.glob("opslog/**/_*.pyx"))
CORES = len(os.sched_getaffinity(0))

# The newer ways of starting processes run this file again in each of them.
multiprocessing.set_start_method("fork", force=True)

setup(
    packages=[*find_packages("src"), "opslog.formats"],  # formats/ lies beside src/
    ext_modules=cythonize(
        [
            Extension(
                ".".join(path.relative_to(SOURCE).with_suffix("").parts),
                [str(path)],
                depends=["src/opslog/kernel/_vector.h"],
                include_dirs=["src/opslog/kernel"],
                extra_compile_args=[*FLAGS, "-D_GNU_SOURCE"],
                extra_link_args=["-fsanitize=address,undefined"] if CHECKED else [],
            )
            for path in KERNELS
        ],
        include_path=["src"],
        nthreads=CORES,
        # Here and not in the files: a .pxd would not inherit those of a .pyx.
        compiler_directives={
            "language_level": 3,
            "boundscheck": CHECKED,
            "wraparound": False,
            "cdivision": True,
        },
        build_dir="build/cython",
    ),
    options={"build_ext": {"parallel": CORES}},
)
