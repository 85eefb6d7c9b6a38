"""What importing the package does and does not do. Each look is taken in a fresh process."""

import os
import subprocess
import sys
from pathlib import Path

import edgeanon


def run(code: str, home: Path, *, expect: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(home / "cache")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == expect, done.stderr
    return done


def test_the_public_names_are_sorted_and_all_there() -> None:
    assert edgeanon.__all__ == sorted(edgeanon.__all__)
    assert all(getattr(edgeanon, name) is not None for name in edgeanon.__all__)
    assert set(edgeanon.__all__) <= set(dir(edgeanon))


def test_an_unknown_name_is_an_attribute_error(tmp_path: Path) -> None:
    run("import edgeanon\ntry: edgeanon.nothing\nexcept AttributeError: pass\nelse: raise SystemExit(1)", tmp_path)


def test_help_and_the_masker_do_not_load_openvino(tmp_path: Path) -> None:
    run(
        "import sys\nfrom edgeanon import Masker, Kind\nimport edgeanon.cli\n"
        "from typer.testing import CliRunner\n"
        "assert CliRunner().invoke(edgeanon.cli.app, ['--help']).exit_code == 0\n"
        "loaded = {'openvino', 'av', 'nncf'} & set(sys.modules)\nassert not loaded, loaded",
        tmp_path,
    )


def test_importing_alone_loads_nothing_heavy(tmp_path: Path) -> None:
    run(
        "import sys, edgeanon\n"
        "loaded = {'numpy', 'cv2', 'openvino', 'pydantic', 'rich', 'typer'} & set(sys.modules)\n"
        "assert not loaded, loaded",
        tmp_path,
    )


DETECT = "import numpy as np, edgeanon\nedgeanon.Detector('face').detect(np.zeros((64, 64, 3), np.uint8))\n"


def test_an_empty_home_stays_clean_but_for_the_private_cache(tmp_path: Path) -> None:
    run(DETECT + "import openvino.tools.ovc\n", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["edgeanon"]


def test_a_child_process_keeps_telemetry_off_too(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import multiprocessing, edgeanon\n"
        "def child():\n"
        "    import numpy as np, openvino\n"
        "    edgeanon.Detector('face').detect(np.zeros((64, 64, 3), np.uint8))\n"
        "if __name__ == '__main__':\n"
        "    process = multiprocessing.get_context('spawn').Process(target=child)\n"
        "    process.start(); process.join(); raise SystemExit(process.exitcode)\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    run(f"import runpy\nrunpy.run_path({str(script)!r}, run_name='__main__')", home)
    assert [path.name for path in home.iterdir()] == ["cache"]


def test_openvino_imported_before_is_silenced_with_a_warning(tmp_path: Path) -> None:
    done = run(
        "import sys, types\n"
        "class Telemetry:\n"
        "    def send_event(self, *args, **kwargs): raise SystemExit('sent')\n"
        "sys.modules['openvino_telemetry'] = types.SimpleNamespace(Telemetry=Telemetry)\n"
        "import edgeanon\n"
        "sys.modules['openvino_telemetry'].Telemetry().send_event('a', 'b', 'c')\n",
        tmp_path,
    )
    assert "Import edgeanon first" in done.stderr


def test_no_network_is_reached(tmp_path: Path) -> None:
    run(
        "import socket\n"
        "def refuse(*args, **kwargs): raise SystemExit('network')\n"
        "socket.socket.connect = refuse\nsocket.getaddrinfo = refuse\n" + DETECT,
        tmp_path,
    )
