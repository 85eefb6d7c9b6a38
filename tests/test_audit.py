"""Hashes of a run's files, the report as a file, its signatures, and what checking them finds."""

import json
import os
import shutil
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from edgeanon.audit import (
    Belongs,
    FileCheck,
    Ledger,
    PrivateKey,
    PublicKey,
    ReportFile,
    Salt,
    SignatureCheck,
    canonical,
    check_signatures,
)
from edgeanon.errors import ConfigError, MediaError
from edgeanon.runtime import hardware as looked_up
from tests.test_audit_statement import filled


def keys(folder: Path, name: str = "key") -> tuple[PrivateKey, PublicKey]:
    private = Ed25519PrivateKey.generate()
    (folder / f"{name}.pem").write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / f"{name}.pub").write_bytes(public)
    return PrivateKey.read(folder / f"{name}.pem"), PublicKey.read(folder / f"{name}.pub")


def done(source: Path, target: Path | None) -> Any:
    return SimpleNamespace(source=source, target=target)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A source and its target, written before the run began."""
    source, target = tmp_path / "source.png", tmp_path / "target.png"
    source.write_bytes(b"a picture")
    target.write_bytes(b"a masked picture")
    for path in (source, target):
        os.utime(path, (1, 1))
    return source, target


class TestLedger:
    def test_outputs_are_found_by_their_content(self, pair: tuple[Path, Path]) -> None:
        ledger = Ledger()
        ledger.add(done(*pair))
        check = FileCheck(ReportFile.of(filled(), ledger))
        renamed = pair[1].rename(pair[1].with_name("other"))
        assert check.missing == 1
        assert check.look_up(renamed) is Belongs.OUTPUT
        assert check.missing == 0
        renamed.write_bytes(b"a masked picturE")
        assert check.look_up(renamed) is Belongs.UNKNOWN

    def test_inputs_are_found_with_the_salt_alone(self, tmp_path: Path, pair: tuple[Path, Path]) -> None:
        salt, other = Salt.kept(tmp_path / "salt"), Salt.kept(tmp_path / "other")
        ledger = Ledger(salt)
        ledger.add(done(*pair))
        report = ReportFile.of(filled(), ledger)
        assert FileCheck(report, Salt.read(tmp_path / "salt")).look_up(pair[0]) is Belongs.INPUT
        assert FileCheck(report, other).look_up(pair[0]) is Belongs.UNKNOWN
        assert FileCheck(report).look_up(pair[0]) is Belongs.UNKNOWN

    def test_without_a_salt_inputs_are_not_listed(self, pair: tuple[Path, Path]) -> None:
        ledger = Ledger()
        ledger.add(done(*pair))
        assert ReportFile.of(filled(), ledger).statement.inputs is None

    def test_one_salt_gives_other_hashes_in_every_report(self, tmp_path: Path, pair: tuple[Path, Path]) -> None:
        ledgers = [Ledger(Salt.kept(tmp_path / "salt")) for _ in range(2)]
        for ledger in ledgers:
            ledger.add(done(*pair))
        assert ledgers[0].inputs != ledgers[1].inputs
        assert ledgers[0].outputs == ledgers[1].outputs

    def test_hashes_do_not_tell_the_order_of_the_files(self, tmp_path: Path) -> None:
        ledger = Ledger(Salt.kept(tmp_path / "salt"))
        for number in range(9):
            path = tmp_path / f"{number}"
            path.write_bytes(bytes([number]))
            os.utime(path, (1, 1))
            ledger.add(done(path, path))
        assert list(ledger.outputs) == sorted(ledger.outputs)
        assert list(ledger.inputs) == sorted(ledger.inputs)
        assert len(ledger.inputs) == len(ledger.outputs) == 9

    def test_an_input_that_changed_meanwhile_or_is_an_address_counts_as_without(
        self, tmp_path: Path, pair: tuple[Path, Path]
    ) -> None:
        ledger = Ledger(Salt.kept(tmp_path / "salt"))
        os.utime(pair[0])
        os.utime(pair[0], (2**32, 2**32))
        ledger.add(done(*pair))
        ledger.add(done(Path("rtsp://camera"), pair[1]))
        assert (ledger.inputs, ledger.inputs_without, len(ledger.outputs)) == ((), 2, 1)

    def test_an_output_that_is_gone_counts_as_without(self, tmp_path: Path, pair: tuple[Path, Path]) -> None:
        ledger = Ledger()
        ledger.add(done(pair[0], tmp_path / "none"))
        assert (ledger.outputs, ledger.outputs_without) == ((), 1)

    def test_a_file_that_failed_leaves_no_hash(self, tmp_path: Path, pair: tuple[Path, Path]) -> None:
        ledger = Ledger(Salt.kept(tmp_path / "salt"))
        ledger.add(done(pair[0], None))
        assert (ledger.outputs, ledger.inputs, ledger.inputs_without) == ((), (), 0)

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(MediaError, match="no regular file"):
            FileCheck(ReportFile.of(filled(), Ledger())).look_up(tmp_path / "pipe")


class TestSalt:
    def test_it_is_made_once_and_private(self, tmp_path: Path) -> None:
        path = tmp_path / "salt"
        Salt.kept(path)
        content = path.read_bytes()
        Salt.kept(path)
        assert path.read_bytes() == content
        assert len(content.strip()) == 64
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    @pytest.mark.parametrize("content", [b"", b"secret", b"\xff" * 64, b"0" * 63])
    def test_what_holds_none_is_an_error_that_does_not_show_it(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "salt").write_bytes(content)
        with pytest.raises(ConfigError, match="salt") as raised:
            Salt.kept(tmp_path / "salt")
        assert "secret" not in str(raised.value)


class TestReportFile:
    def test_it_comes_back_as_it_was_and_is_private(self, tmp_path: Path) -> None:
        report = ReportFile.of(filled(), Ledger()).signed(keys(tmp_path)[0])
        report.write(tmp_path / "run.json")
        assert ReportFile.read(tmp_path / "run.json") == report
        assert stat.S_IMODE((tmp_path / "run.json").stat().st_mode) == 0o600

    def test_the_run_leaves_the_sign_off_empty(self) -> None:
        report = ReportFile.of(filled(), Ledger())
        assert not report.sign_off
        assert report.model_dump(mode="json")["sign_off"] == {"name": "", "role": "", "day": None, "remark": ""}

    @pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"statement": {"faces": 7}}'])
    def test_what_is_no_report_is_an_error(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "run.json").write_bytes(content)
        with pytest.raises(MediaError, match="is no report"):
            ReportFile.read(tmp_path / "run.json")
        with pytest.raises(MediaError, match="cannot be read"):
            ReportFile.read(tmp_path / "none.json")

    def test_more_than_is_known_is_refused(self, tmp_path: Path) -> None:
        content = ReportFile.of(filled(), Ledger()).model_dump(mode="json")
        content["statement"]["file"] = "Jane Doe.jpg"
        (tmp_path / "run.json").write_text(json.dumps(content))
        with pytest.raises(MediaError, match="file"):
            ReportFile.read(tmp_path / "run.json")


class TestSignatures:
    def test_one_is_valid_under_its_own_key_alone(self, tmp_path: Path) -> None:
        private, public = keys(tmp_path)
        _, other = keys(tmp_path, "other")
        report = ReportFile.of(filled(), Ledger()).signed(private)
        assert check_signatures(report, [public]) == [("statement", public.sha256, SignatureCheck.VALID)]
        assert check_signatures(report, [other]) == [
            ("statement", public.sha256, SignatureCheck.UNCHECKED),
            ("", other.sha256, SignatureCheck.ABSENT),
        ]

    def test_no_change_of_the_statement_goes_unseen(self, tmp_path: Path) -> None:
        private, public = keys(tmp_path)
        report = ReportFile.of(filled(), Ledger()).signed(private)
        for change in (
            {"day": date(2026, 11, 26)},
            {"pages": "0"},
            {"files": filled().files.model_copy(update={"masked": 4})},
        ):
            changed = report.model_copy(update={"statement": report.statement.model_copy(update=change)})
            assert check_signatures(changed, [public])[0][2] is SignatureCheck.INVALID

    def test_the_signature_of_the_run_leaves_room_for_a_sign_off(self, tmp_path: Path) -> None:
        private, public = keys(tmp_path)
        report = ReportFile.of(filled(), Ledger()).signed(private).signed_off("Jane Roe", "data protection officer")
        assert check_signatures(report, [public]) == [("statement", public.sha256, SignatureCheck.VALID)]

    def test_a_signed_sign_off_cannot_be_changed_unseen(self, tmp_path: Path) -> None:
        private, public = keys(tmp_path)
        report = ReportFile.of(filled(), Ledger()).signed_off("Jane Roe", "officer", key=private)
        assert check_signatures(report, [public]) == [("statement and sign_off", public.sha256, SignatureCheck.VALID)]
        somebody = report.sign_off.model_copy(update={"name": "Somebody Else"})
        changed = report.model_copy(update={"sign_off": somebody})
        assert check_signatures(changed, [public])[0][2] is SignatureCheck.INVALID

    def test_a_sign_off_is_not_replaced(self) -> None:
        report = ReportFile.of(filled(), Ledger()).signed_off("Jane Roe", "officer")
        with pytest.raises(ConfigError, match="already"):
            report.signed_off("Somebody Else", "officer")

    def test_the_order_and_spacing_of_the_file_do_not_matter(self, tmp_path: Path) -> None:
        private, public = keys(tmp_path)
        report = ReportFile.of(filled(), Ledger()).signed(private)
        mixed = dict(reversed(report.model_dump(mode="json").items()))
        mixed["statement"] = dict(reversed(mixed["statement"].items()))
        (tmp_path / "run.json").write_text(json.dumps(mixed, indent=7))
        again = ReportFile.read(tmp_path / "run.json")
        assert check_signatures(again, [public])[0][2] is SignatureCheck.VALID

    @pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
    def test_openssl_confirms_them_without_this_package(self, tmp_path: Path) -> None:
        """As the documentation shows, with json in place of jq: keys sorted, no white space."""
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", tmp_path / "k.pem"], check=True)
        subprocess.run(
            ["openssl", "pkey", "-in", tmp_path / "k.pem", "-pubout", "-out", tmp_path / "k.pub"], check=True
        )
        report = ReportFile.of(filled(), Ledger()).signed(PrivateKey.read(tmp_path / "k.pem"))
        report.write(tmp_path / "run.json")
        said = json.loads((tmp_path / "run.json").read_text())
        text = json.dumps(said["statement"], sort_keys=True, separators=(",", ":"))
        assert text.encode() == canonical(report.statement)
        (tmp_path / "said").write_text(text)
        (tmp_path / "signature").write_bytes(bytes.fromhex(said["signatures"][0]["value"]))
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "k.pub", "-rawin", "-in", "said"]
        subprocess.run([*command, "-sigfile", "signature"], check=True, cwd=tmp_path, capture_output=True)
        assert PublicKey.read(tmp_path / "k.pub").sha256 == said["signatures"][0]["key_sha256"]


class TestKeys:
    def test_what_is_no_such_key_is_an_error_with_the_command_that_makes_one(self, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("no key")
        curve = generate_private_key(SECP256R1())
        (tmp_path / "curve").write_bytes(curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        sealed = Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")
        )
        (tmp_path / "sealed").write_bytes(sealed)
        for name in ("text", "curve", "sealed"):
            with pytest.raises(ConfigError, match="openssl genpkey"):
                PrivateKey.read(tmp_path / name)
            with pytest.raises(ConfigError, match="openssl pkey"):
                PublicKey.read(tmp_path / name)

    def test_one_that_is_missing_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="cannot be read"):
            PrivateKey.read(tmp_path / "none")

    def test_without_cryptography_the_error_names_the_extra(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys(tmp_path)
        monkeypatch.setitem(sys.modules, "cryptography", None)
        for name in [name for name in sys.modules if name.startswith("cryptography.")]:
            monkeypatch.delitem(sys.modules, name)
        with pytest.raises(ConfigError, match=r"edgeanon\[audit\]"):
            PrivateKey.read(tmp_path / "key.pem")


class TestHardware:
    class Core:
        """Answers as OpenVINO does on a machine with a GPU and an NPU."""

        SAYS = {  # noqa: RUF012
            ("CPU", "FULL_DEVICE_NAME"): "AMD EPYC ",
            ("GPU.0", "FULL_DEVICE_NAME"): "Intel(R) Arc(TM) A380 Graphics (dGPU)",
            ("GPU.0", "GPU_DRIVER_VERSION"): "24.35.30872.22",
            ("NPU", "FULL_DEVICE_NAME"): "Intel(R) AI Boost",
            ("NPU", "NPU_DRIVER_VERSION"): 1688,
        }

        def get_property(self, device: str, name: str) -> Any:
            try:
                return self.SAYS[device, name]
            except KeyError:
                raise RuntimeError("no such property") from None

    def test_each_device_is_told_with_its_driver(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("edgeanon.runtime.hardware.core", self.Core)
        told = [(one.name, one.full_name, one.driver) for one in looked_up.hardware("GPU.0,CPU,NPU,(CPU),GPU.1")]
        assert told == [
            ("GPU.0", "Intel(R) Arc(TM) A380 Graphics (dGPU)", "24.35.30872.22"),
            ("CPU", "AMD EPYC", None),
            ("NPU", "Intel(R) AI Boost", "1688"),
            ("GPU.1", "", None),
        ]
