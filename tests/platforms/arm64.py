"""A 64-bit Raspberry Pi system without the board: Debian's arm64 Python and the bundle's wheels in
a folder, run by QEMU.

``python -m tests.platforms.arm64`` makes the folder, on Debian only. It asks apt with a state of
its own: the machine stays as it is, and root is not needed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".tools" / "arm64"
REQUIREMENTS = ROOT / "kspec/targets/platforms/raspberry_pi/templates/bundle/requirements.txt"
PACKAGES = ("python3-minimal", "libpython3-stdlib", "libstdc++6")
EMULATOR = "qemu-aarch64-static"
PYTHONS = ("3.11", "3.13")
"""Those of Raspberry Pi OS bookworm and trixie."""
GLIBC = (17, 27, 28)
"""What wheels may ask for; bookworm has 2.36."""


@dataclass(frozen=True, slots=True)
class Board:
    """A board's processor, as QEMU calls it and as the system describes it. LiteRT and ONNX Runtime
    end in a crash where ``/proc/cpuinfo`` is that of another architecture."""

    cpu: str
    part: str
    features: str

    @property
    def cpuinfo(self) -> str:
        return (
            "processor\t: 0\nBogoMIPS\t: 108.00\n"
            f"Features\t: {self.features}\n"
            "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\n"
            f"CPU part\t: {self.part}\nCPU revision\t: 3\n\n"
        )


BOARDS: Mapping[str, Board] = MappingProxyType(
    {
        "Raspberry Pi 4": Board("cortex-a72", "0xd08", "fp asimd evtstrm crc32 cpuid"),
        # Engines choose other kernels here: it has half precision and dot products.
        "Raspberry Pi 5": Board(
            "cortex-a76",
            "0xd0b",
            "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc"
            " dcpop asimddp",
        ),
    }
)


def missing() -> str:
    """Why nothing can be run here; empty where it can."""
    ready = FOLDER / "ready"
    if not ready.exists() or ready.read_text() != _digest():
        return "`make arm64` has made no arm64 system here"
    return ""


def run(board: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python on a board, in that folder: ``-m digits_model self-test``."""
    cpu = BOARDS[board].cpu
    command = (str(FOLDER / EMULATOR), "-L", str(FOLDER / cpu), "-cpu", cpu)
    return subprocess.run(
        [*command, str(FOLDER / "root/usr/bin/python3"), *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(FOLDER / "site")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def make() -> None:
    """Fetch and unpack everything into a new folder, which takes its place when it is whole."""
    new = FOLDER.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    _unpack_system(new)
    python = next((new / "root/usr/bin").glob("python3.[0-9]*")).name.removeprefix("python")
    for each in PYTHONS:
        _install(new / "site", each, *(() if each == python else ("--dry-run",)))
    (new / "ready").write_text(_digest())
    shutil.rmtree(FOLDER, ignore_errors=True)
    new.rename(FOLDER)


def _unpack_system(new: Path) -> None:
    archives, root = new / "apt/cache/archives", new / "root"
    for each in (new / "apt/lists/partial", archives / "partial", root):
        each.mkdir(parents=True)
    (new / "apt/status").touch()
    apt = _Apt(new / "apt")
    apt("update")
    apt("install", "--download-only", "--yes", "--no-install-recommends", *PACKAGES)
    packages = sorted(archives.glob("*.deb"))
    apt("download", f"qemu-user-static:{apt.host}")
    (emulator,) = (new / "apt").glob("*.deb")
    for each in packages:
        subprocess.run(["dpkg-deb", "--extract", each, root], check=True)
    if not (root / "lib").exists():
        (root / "lib").symlink_to("usr/lib")  # as Debian's own systems have it
    for board in BOARDS.values():
        processes = new / board.cpu / "proc"
        processes.mkdir(parents=True)
        (processes / "cpuinfo").write_text(board.cpuinfo)
        for each in root.iterdir():
            (new / board.cpu / each.name).symlink_to(Path("../root", each.name))
    content = subprocess.check_output(["dpkg-deb", "--fsys-tarfile", emulator])
    with (new / EMULATOR).open("wb") as file:
        command = ["tar", "--extract", "--to-stdout", f"./usr/bin/{EMULATOR}"]
        subprocess.run(command, input=content, stdout=file, check=True)
    (new / EMULATOR).chmod(0o755)
    shutil.rmtree(new / "apt")


class _Apt:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        print_architecture = ["dpkg", "--print-architecture"]
        self.host = subprocess.check_output(print_architecture, text=True).strip()
        self.options: Mapping[str, str] = {
            "APT::Architecture": "arm64",
            "APT::Architectures": f"arm64,{self.host}",
            "APT::Sandbox::User": "",
            "Dir::State": str(folder),
            "Dir::State::status": str(folder / "status"),
            "Dir::Cache": str(folder / "cache"),
        }

    def __call__(self, *arguments: str) -> None:
        options = [f"--option={name}={value}" for name, value in self.options.items()]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(
            ["apt-get", "--quiet=2", *options, *arguments],
            cwd=self.folder,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )


def _install(site: Path, python: str, *options: str) -> None:
    """By pip, as users do: it refuses what uv would take."""
    beside = Path(sys.executable).with_name("uv")
    uv = (shutil.which("uv") or str(beside), "tool", "run", "--python", sys.executable, "pip")
    pip = uv if find_spec("pip") is None else (sys.executable, "-m", "pip")
    platforms = [f"--platform=manylinux_2_{each}_aarch64" for each in GLIBC]
    strict = ("--require-hashes", "--only-binary=:all:", "--requirement", REQUIREMENTS)
    where = ("--target", site, "--python-version", python, "--implementation", "cp")
    quiet = ("--quiet", "--disable-pip-version-check", "--root-user-action=ignore")
    subprocess.run([*pip, "install", *quiet, *where, *platforms, *strict, *options], check=True)


def _digest() -> str:
    content = Path(__file__).read_bytes() + REQUIREMENTS.read_bytes()
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        sys.exit("no arm64 system: that takes Debian's apt")
    if missing():
        try:
            make()
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"no arm64 system: {error}")
