"""The compiled kernels and formats; everything else stands in pyproject.toml."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

# OPSLOG_CHECKED=1 builds for fuzzing: address sanitizer, undefined-behaviour
# sanitizer and Cython's own bounds checks.
CHECKED = os.environ.get("OPSLOG_CHECKED") == "1"
FLAGS = (
    ["-O1", "-g1", "-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
    if CHECKED
    else ["-fno-plt"]
    if "-O" in os.environ.get("CFLAGS", "")  # who says how much to optimise is not overruled
    else ["-O3", "-fno-plt", "-g0"]  # what debuggers need would be most of a wheel
)
SOURCE = Path("src")
KERNELS = sorted(SOURCE.glob("opslog/**/_*.pyx"))
CORES = len(os.sched_getaffinity(0))

# The newer ways of starting processes run this file again in each of them.
multiprocessing.set_start_method("fork", force=True)


class BuildWithFormats(build_ext):
    """Compiles the shipped formats with the kernels just built.

    Where these cannot run, built for another machine or for fuzzing, each start compiles them.
    """

    def run(self):
        super().run()
        package = SOURCE if self.inplace else Path(self.build_lib)
        (package / "opslog/scanner/catalog.built").unlink(missing_ok=True)
        code = "from opslog.scanner.catalog import Catalog; Catalog.build()"
        environment = {**os.environ, "PYTHONPATH": str(package.resolve())}
        if subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode:
            self.warn("the shipped formats could not be compiled: start-up will be slower")


setup(
    cmdclass={"build_ext": BuildWithFormats},
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
