"""The compiled kernels and formats; everything else stands in pyproject.toml."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

# OPSLOG_CHECKED=1 builds for fuzzing: address sanitizer, undefined-behaviour
# sanitizer and Cython's own bounds checks.
CHECKED = os.environ.get("OPSLOG_CHECKED") == "1"
# OPSLOG_TUNED=1 builds twice: the second time by what the first build was seen to do with the
# samples of all formats.  It takes twice as long, as for wheels, and needs gcc.
TUNED = os.environ.get("OPSLOG_TUNED") == "1"
FLAGS = (
    ["-O1", "-g", "-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
    if CHECKED
    else ["-fno-plt"]
    if "-O" in os.environ.get("CFLAGS", "")  # who says how much to optimise is not overruled
    else ["-O3", "-fno-plt"]
)
SOURCE = Path("src")
KERNELS = sorted(SOURCE.glob("opslog/**/_*.pyx"))
CORES = len(os.sched_getaffinity(0))

# The newer ways of starting processes run this file again in each of them.
multiprocessing.set_start_method("fork", force=True)


COMPILE_FORMATS = "from opslog.scanner.catalog import Catalog; Catalog.build()"
# Without pyarrow, which is not there while a wheel is built.
USE_KERNELS = """
import opslog
from opslog.filters.bounds import Bounds
from opslog.filters.filter import Filter
from opslog.scanner.catalog import shipped
with open("samples.log", "w") as log:
    for format in shipped():
        for sample in format.samples:
            # Most lines of most logs are oslo.log's.
            log.write((sample.text + "\\n") * (300 if format.name == "oslo.text" else 30))
logs = opslog.read("samples.log")
logs.write_jsonl("samples.jsonl", overwrite=True)
logs.filter(Filter.within(Bounds(least=13))).write_jsonl("samples.jsonl", overwrite=True)
"""


class BuildWithFormats(build_ext):
    """Compiles the shipped formats with the kernels just built.

    Where these cannot run, built for another machine or for fuzzing, each start compiles them.
    """

    def run(self):
        if TUNED:
            self.build_kernels("-fprofile-generate")
            with tempfile.TemporaryDirectory() as folder:
                if not self.with_kernels(USE_KERNELS, folder):
                    raise SystemExit("OPSLOG_TUNED: the kernels of the first build do not run")
            self.build_kernels("-fprofile-use", "-Wno-missing-profile")
        else:
            self.build_kernels()
        if not self.with_kernels(COMPILE_FORMATS, "."):
            self.warn("the shipped formats could not be compiled: start-up will be slower")

    def build_kernels(self, *flags):
        for kernel in self.extensions:
            kernel.extra_compile_args = [*FLAGS, "-D_GNU_SOURCE", *flags]
            kernel.extra_link_args = ["-fsanitize=address,undefined"] if CHECKED else [*flags]
        self.force = self.force or TUNED
        asked = self.compiler  # run() puts what it found in its place
        super().run()
        self.compiler = asked

    def with_kernels(self, code, folder):
        """Run code with the kernels just built; return whether it did."""
        package = SOURCE if self.inplace else Path(self.build_lib)
        (package / "opslog/scanner/catalog.built").unlink(missing_ok=True)
        environment = {**os.environ, "PYTHONPATH": str(package.resolve())}
        done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=folder, check=False)
        return not done.returncode


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
