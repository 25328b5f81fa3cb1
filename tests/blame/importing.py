"""Makes Git repositories of any shape with `git fast-import`."""

import os
import subprocess

# Nothing of the person's configuration, and no clock: the same history has the same commit ids everywhere.
ENVIRONMENT = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/nonexistent"}
START = 1_600_000_000


def quoted(path):
    """A path as fast-import reads it, any byte of it."""
    raw = path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")
    return b'"' + b"".join(bytes([b]) if 32 <= b < 127 and b not in b'"\\' else b"\\%03o" % b for b in raw) + b'"'


class Importer:
    """Commits are numbered from 1; nothing is read back before `close`."""

    def __init__(self, path):
        self.path = path
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(path))
        self.marks = path / "marks"
        command = ["git", "-C", str(path), "fast-import", "--quiet", "--force", f"--export-marks={self.marks}"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, env=ENVIRONMENT)
        self.count = 0

    @staticmethod
    def git(*arguments, **options):
        return subprocess.run(["git", *arguments], check=True, env=ENVIRONMENT, **options)

    def write(self, *parts):
        for part in parts:
            self.process.stdin.write(part if isinstance(part, bytes) else part.encode())

    def commit(self, files, parents=(), subject="", author=None, time=None, zone="+0000", whole=True):
        """A commit of `files`, of all its files if `whole`. Returns its number. Files are bytes by path, links "-> where", and None takes
        one away; a submodule is the id of a commit."""
        if not parents and self.count:
            raise ValueError("only the first commit has no parent")
        self.count += 1
        time = START + 600 * self.count if time is None else time
        who = author or "Ada"
        message = (subject or f"commit {self.count}").encode()
        self.write(f"commit refs/heads/import\nmark :{self.count}\n",
                   f"author {who} <{who.lower()}@example.com> {time} {zone}\n",
                   f"committer Bot <bot@example.com> {time} +0000\n", b"data %d\n%s\n" % (len(message), message))
        if parents:
            self.write(f"from :{parents[0]}\n", *(f"merge :{parent}\n" for parent in parents[1:]))
        if whole:
            self.write("deleteall\n")
        for path, content in files.items():
            if content is None:
                self.write(b"D ", quoted(path), b"\n")
            elif isinstance(content, str) and content.startswith("-> "):
                target = content[3:].encode()
                self.write(b"M 120000 inline ", quoted(path), b"\ndata %d\n" % len(target), target, b"\n")
            elif isinstance(content, str):
                self.write(f"M 160000 {content} ", quoted(path), b"\n")
            else:
                self.write(b"M 100644 inline ", quoted(path), b"\ndata %d\n" % len(content), content, b"\n")
        return self.count

    def close(self, **branches):
        """Sets branches (name to number) and returns the ids of the commits, by number."""
        self.process.stdin.close()
        if self.process.wait():
            raise RuntimeError("git fast-import failed")
        ids = {}
        for line in self.marks.read_text().splitlines():
            mark, commit = line.split()
            ids[int(mark[1:])] = commit
        self.marks.unlink()
        for name, number in branches.items():
            self.git("-C", str(self.path), "update-ref", f"refs/heads/{name}", ids[number])
        self.git("-C", str(self.path), "update-ref", "-d", "refs/heads/import")
        return ids
