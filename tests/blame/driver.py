"""Runs the program on a repository and a dump, and reads what it says."""

import json
import re
import subprocess
from pathlib import Path

SECONDS = 600  # nothing here takes as long; what does hangs


class Crash(Exception):
    """The program did not end as it promises."""


def group_of(api_version):
    return api_version.rpartition("/")[0]


class Program:
    """The program with a configuration of its own in a folder."""

    def __init__(self, binary, folder, repository, targets, revision="main", settings=None):
        self.binary, self.folder = binary, Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.dump = self.folder / "dump.json"
        configuration = {
            "ledger": str(self.folder / "ledger.sqlite"), "cache": str(self.folder / "cache"),
            "clusters": [{"name": "prod", "dump": str(self.dump)}],
            "repositories": [{"name": "repository", "url": str(repository)}],
            "targets": [{"name": target.name, "repository": "repository", "revision": revision, "path": target.path, "cluster": "prod",
                         "namespace": target.namespace} for target in targets],
            "limits": {"historyTime": "9m"}, **(settings or {})}
        self.configuration = self.folder / "driftledger.yaml"
        self.configuration.write_text(json.dumps(configuration))

    def live(self, objects):
        """What the cluster runs from now on."""
        self.dump.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def run(self, *arguments):
        """Exit code, stdout and stderr."""
        command = [self.binary, "--config", str(self.configuration), "--quiet", *arguments]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise Crash(f"{arguments[0]} had not ended after {SECONDS} s") from None
        stderr = done.stderr.decode("utf-8", "replace")
        if done.returncode < 0 or done.returncode > 6 or "panicked" in stderr:
            raise Crash(f"{arguments[0]} ended with {done.returncode}: {stderr[-2000:]}")
        return done.returncode, done.stdout, stderr

    def scan(self):
        """The report of a scan."""
        code, stdout, stderr = self.run("scan", "-o", "json")
        if code in (2, 5, 6):
            raise Crash(f"scan ended with {code}: {stderr[-2000:]}")
        return json.loads(stdout)

    def blame(self):
        """The fields of all declared objects; None where the program has no such command."""
        if not re.search(rb"^ +blame\b", subprocess.run([self.binary, "--help"], stdout=subprocess.PIPE).stdout, re.MULTILINE):
            return None
        code, stdout, stderr = self.run("blame", "--all", "-o", "json")
        if code in (2, 5, 6):
            raise Crash(f"blame ended with {code}: {stderr[-2000:]}")
        answer = json.loads(stdout)
        if answer.get("schema") != "driftledger/blame/v1":
            raise Crash(f"blame's JSON is of the schema {answer.get('schema')}")
        return {identity(each): {field["path"]: field for field in each["fields"]} for each in answer["objects"]}


def identity(found):
    """Who a finding or a blamed object is about."""
    return group_of(found["apiVersion"]), found["kind"], found["namespace"], found["name"]
