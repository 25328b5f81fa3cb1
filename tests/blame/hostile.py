"""Repositories that are broken, huge or lie. A scan of each has to end, to attribute what can be attributed, and to say what cannot.

Each has four commits: one that declares an object, one that does something hostile, one that takes that back, and one that changes
one field of the object. Live, both of the object's fields differ.
"""

import shutil
import subprocess
import time

from driver import Program
from gitstore import Store, git
from importing import ENVIRONMENT, Importer
from oracle import Target

TARGET = Target("a", "clusters/a", "alpha")
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata: {{old: o, k: {}}}\n"
IDENTITY = "", "ConfigMap", "alpha", "x"
DEEP = "/".join(["d"] * 1500)
LAUGHS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: laughs}\na0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))


def files(count):
    return {f"clusters/a/many/{n % 100}/{n}.yaml": OBJECT.format(n).replace("name: x", f"name: m{n}").encode() for n in range(count)}


# Name, files that the second commit has besides; the third has them no more.
HOSTILE_FILES = [
    ("file names that are not UTF-8", lambda long: {
        b"clusters/a/caf\xe9.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\n",
        b"clusters/a/\xff\xfe/\x01.yaml": b"{}"}),
    ("content that is not UTF-8", lambda long: {
        "clusters/a/latin.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\ndata: {a: \xe9}\n",
        "clusters/a/null.yaml": b"\0" * 1000}),
    ("aliases that grow without end", lambda long: {"clusters/a/laughs.yaml": LAUGHS.encode()}),
    ("nesting without end", lambda long: {
        "clusters/a/nested.yaml": b"a: " + b"[" * 100_000, "clusters/a/nested.json": b'{"a":' * 100_000}),
    ("folders 1,500 deep", lambda long: {f"clusters/a/{DEEP}/deep.yaml": b"a: b\n"}),
    ("a folder where a file was", lambda long: {"clusters/a/folder.yaml/x.yaml": b"a: b\n"}),
    ("many files", lambda long: files(100_000 if long else 3_000)),
    ("links that go round and out", lambda long: {
        "clusters/a/round.yaml": "-> round.yaml", "clusters/a/up": "-> ..", "clusters/a/out.yaml": "-> /etc/passwd",
        "clusters/a/nowhere": "-> ../../../.."}),
    ("a submodule", lambda long: {"clusters/a/module": "1" * 40, "clusters/a/module.yaml": "2" * 40}),
    ("a line of 3 MB", lambda long: {"clusters/a/line.yaml": b"a: " + b"x" * 3_000_000}),
]
CLOCKS = [(0, "+0000"), (1, "-1200"), (4_102_444_800, "+1400"), (99_999_999_999, "+0000")]


def play(tally, binary, folder, long):
    """All of them; returns nothing, as there is nothing to blame that has to be there."""
    def round(name, repository, certain=("old", "k")):
        begun = time.monotonic()
        one(tally, binary, folder, name, repository, certain)
        print(f"hostile, {name}: {time.monotonic() - begun:.1f} s", flush=True)

    for name, make in HOSTILE_FILES:
        round(name, imported(folder, name, make(long)))
    round("a huge blob", huge(folder, 1024 if long else 64))
    round("a huge blob, still there", huge(folder, 1024 if long else 64, stays=True))
    round("clocks in 1970, 2100 and 5138", imported(folder, "clocks", {}, CLOCKS))
    for what, ruin in (("a broken", lambda path: path.write_bytes(b"x\x9c\x01\x02 not zlib")), ("a lost", lambda path: path.unlink()),
                       ("an empty", lambda path: path.write_bytes(b""))):
        for kind in ("commit", "root tree", "tree", "blob"):
            name = f"{what} {kind}"
            repository = imported(folder, name, {})
            ruined(repository, kind, ruin)
            round(name, repository, ())
    for name, content in (("a tree that is none", b"100644 x\0short"), ("a tree without order", None)):
        round(name, forged(folder, name, content), ())
    round("a commit without an author", headless(folder), ())


def imported(folder, name, extra, clocks=((None, "+0000"),) * 4):
    importer = Importer(folder / f"{name.replace(' ', '-')}.git")
    plain = {"clusters/a/x.yaml": OBJECT.format("v").encode(), "clusters/a/other.yaml": b"a: b\n"}
    head = ()
    hostile = {**extra, "clusters/a/other.yaml": b"a: c\n"}
    for n, added in enumerate(({}, hostile, {}, {"clusters/a/x.yaml": OBJECT.format("w").encode()})):
        head = (importer.commit({**plain, **added}, head, f"commit {n + 1}", time=clocks[n][0], zone=clocks[n][1]),)
    importer.close(main=head[0])
    return importer.path


def huge(folder, megabytes, stays=False):
    """Zeros, written without ever being held."""
    importer = Importer(folder / f"huge-{stays}.git")
    plain = {"clusters/a/x.yaml": OBJECT.format("v").encode()}
    first = importer.commit(plain, ())
    second = importer.commit(plain, (first,))
    importer.write(f"M 100644 inline clusters/a/huge.yaml\ndata {megabytes << 20}\n")
    for _ in range(megabytes):
        importer.write(bytes(1 << 20))
    importer.write("\n")
    third = importer.commit({} if stays else {"clusters/a/huge.yaml": None}, (second,), whole=False)
    head = importer.commit({"clusters/a/x.yaml": OBJECT.format("w").encode()}, (third,), whole=False)
    importer.close(main=head)
    return importer.path


def ruined(repository, kind, ruin):
    """Damages an object of the second commit that no other commit has."""
    store = Store(repository)
    second = store.line(store.resolve("main"))[2]
    root = store.commit(second).tree
    folder = store.below(root, "clusters/a")[1]
    target = {"commit": second, "root tree": root, "tree": folder, "blob": store.below(folder, "other.yaml")[1]}[kind]
    store.close()
    path = repository / "objects" / target[:2] / target[2:]
    path.chmod(0o644)
    ruin(path)


def put(repository, kind, content):
    command = ["git", "-C", str(repository), "hash-object", "-t", kind, "-w", "--stdin", "--literally"]
    return subprocess.run(command, input=content, stdout=subprocess.PIPE, check=True, env=ENVIRONMENT).stdout.decode().strip()


def relined(repository, second):
    """The line once more, with another second commit."""
    store = Store(repository)
    line = store.line(store.resolve("main"))
    head = second
    for commit in (line[1], line[0]):
        raw = store.object(commit).replace(store.commit(commit).parents[0].encode(), head.encode())
        head = put(repository, "commit", raw)
    store.close()
    Importer.git("-C", str(repository), "update-ref", "refs/heads/main", head)
    return repository


def forged(folder, name, content):
    """A second commit whose folder is no proper tree."""
    repository = imported(folder, name, {})
    store = Store(repository)
    second = store.line(store.resolve("main"))[2]
    root = store.commit(second).tree
    inner = store.below(root, "clusters/a")[1]
    bad = put(repository, "tree", content if content is not None else store.object(inner) * 2)
    outer = put(repository, "tree", b"40000 a\0" + bytes.fromhex(bad))
    tree = put(repository, "tree", b"40000 clusters\0" + bytes.fromhex(outer))
    raw = store.object(second).replace(root.encode(), tree.encode())
    store.close()
    return relined(repository, put(repository, "commit", raw))


def headless(folder):
    repository = imported(folder, "headless", {})
    store = Store(repository)
    second = store.line(store.resolve("main"))[2]
    raw = b"\n".join(line for line in store.object(second).split(b"\n") if not line.startswith((b"author", b"committer")))
    store.close()
    return relined(repository, put(repository, "commit", raw))


def one(tally, binary, folder, name, repository, certain):
    """A scan, and the command `blame` where there is one."""
    replay = "replay:  tests/blame/run --hostile"
    program = Program(binary, folder / f"{repository.stem}-run", repository, [TARGET])
    metadata = {"name": "x", "namespace": "alpha"}
    program.live([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"old": "never", "k": "v"}}])
    report = program.scan()
    line = [git(repository, "rev-parse", revision) for revision in ("main", "main~1")]
    found = {finding["path"]: finding for finding in report["findings"] if finding["name"] == "x"}
    for field, expected in (("k", {line[0]}), ("old", None)):
        finding = found.get(f".data.{field}")
        if finding is None:
            tally.compare("hostile: a finding", None, False, f"{name}: .data.{field}\n    {replay}", sorted(map(str, found)), "DL001")
            continue
        by = finding["declaredBy"]
        raw = by and subprocess.run(["git", "-C", str(repository), "cat-file", "-p", by["commit"]], stdout=subprocess.PIPE).stdout
        right = by and (by["commit"] in expected if expected else b"\nparent " not in raw)
        right = right or by is None and field not in certain and said(finding, report)
        tally.compare("hostile: declaredBy", finding, right, f"{name}: .data.{field}\n    {replay}", by and by["commit"],
                      "the commit that set it" + ("" if field in certain else ", or null and why"))
    finding = found.get(".data.k", {"note": None, "cause": None})
    matched = finding.get("liveMatches")
    # All commits but the newest have the value; which of them is meant is asked elsewhere.
    right = matched["commit"] != line[0] if matched else "k" not in certain and said(finding, report)
    where = f"{name}: .data.k\n    {replay}"
    tally.compare("hostile: liveMatches", matched, right, where, matched and matched["commit"], f"{line[1]} or before")
    blamed = program.blame()
    if blamed is not None:
        by = blamed.get(IDENTITY, {}).get(".data.k", {}).get("declaredBy")
        tally.compare("hostile: blame", by, by["commit"] == line[0] if by else "k" not in certain, where, by, line[0])
    shutil.rmtree(repository, ignore_errors=True)


def said(finding, report):
    """Whether something says why a commit is not named."""
    return bool(finding["note"] or finding["cause"] == "undetermined" or report["gaps"])
