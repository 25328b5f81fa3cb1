"""Git repositories, read object by object through `git cat-file --batch`."""

import subprocess
from dataclasses import dataclass
from functools import lru_cache


def git(path, *arguments, **options):
    """Runs git and returns what it says, without the end of the last line."""
    command = ["git", "-C", str(path), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout.rstrip("\n")


@dataclass(frozen=True)
class Commit:
    id: str
    tree: str
    parents: tuple
    cut: bool = False  # the clone is shallow: it has parents that are not at hand


class Store:
    """The objects of one repository."""

    def __init__(self, path):
        self.path = path
        self.batch = subprocess.Popen(["git", "-C", str(path), "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        shallow = path / "shallow"
        self.cuts = set(shallow.read_text().split()) if shallow.exists() else set()
        self.commit = lru_cache(None)(self._commit)
        self.tree = lru_cache(4096)(self._tree)
        self.files = lru_cache(4096)(self._files)

    def close(self):
        self.batch.stdin.close()
        self.batch.stdout.close()
        self.batch.wait()

    def object(self, name):
        """The bytes of an object."""
        self.batch.stdin.write(name.encode() + b"\n")
        self.batch.stdin.flush()
        header = self.batch.stdout.readline().split()
        if len(header) != 3:
            raise KeyError(f"no object {name} in {self.path}")
        content = self.batch.stdout.read(int(header[2]))
        self.batch.stdout.read(1)
        return content

    def resolve(self, revision):
        return git(self.path, "rev-parse", "--verify", f"{revision}^{{commit}}")

    def _commit(self, commit):
        head = self.object(commit).partition(b"\n\n")[0].decode("utf-8", "replace").splitlines()
        named = [line.split(" ", 1) for line in head if " " in line]
        tree = next(value for key, value in named if key == "tree")
        cut = commit in self.cuts
        return Commit(commit, tree, () if cut else tuple(value for key, value in named if key == "parent"), cut)

    def _tree(self, tree):
        content, at, entries = self.object(tree), 0, []
        while at < len(content):
            space, zero = content.index(b" ", at), content.index(b"\0", at)
            name = content[space + 1:zero].decode("utf-8", "surrogateescape")
            entries.append((content[at:space], name, content[zero + 1:zero + 21].hex()))
            at = zero + 21
        return entries

    def below(self, tree, path):
        """The tree or blob at a path: (is a tree, id), or None."""
        found = (True, tree)
        for name in filter(None, path.split("/")):
            entry = next((entry for entry in self.tree(found[1]) if entry[1] == name), None) if found[0] else None
            if entry is None:
                return None
            found = (entry[0] == b"40000", entry[2])
        return found

    def _files(self, tree):
        """The manifest files below a tree as (path, blob), in the order of their paths."""
        found = []
        for mode, name, child in self.tree(tree):
            if mode == b"40000":
                found += [(f"{name}/{path}", blob) for path, blob in self.files(child)]
            elif mode in (b"100644", b"100755") and name.endswith((".yaml", ".yml", ".json")):
                found.append((name, child))
        return found

    def line(self, tip):
        """The first parents from a commit on, newest first."""
        line = [tip]
        while parents := self.commit(line[-1]).parents:
            line.append(parents[0])
        return line

    def ancestors(self, commit):
        """A commit and all that it descends from."""
        seen, left = {commit}, [commit]
        while left:
            for parent in self.commit(left.pop()).parents:
                if parent not in seen:
                    seen.add(parent)
                    left.append(parent)
        return seen
