"""Measures what attribution costs, in ratios. Use it through tests/blame/bench."""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import histories
from driver import Program
from drift import placed
from fields import Shape, look, put, samples
from gitstore import Store, git
from importing import ENVIRONMENT, Importer
from manifests import read
from oracle import Target

FINDINGS = 1_000
RUNS = 3
BLAMED = 25  # files of which `git blame` is measured; the time of all is worked out from theirs
WHO = {f"GIT_{which}_{what}": value for which in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "Bot"), ("EMAIL", "bot@example.com"))}
SKIPPED = {"CustomResourceDefinition", "Namespace", "Secret", "ConfigMapList"}


class Measured(Program):
    """The program, with what each run cost: seconds, and MiB at its peak."""

    def run(self, *arguments):
        begun = time.monotonic()
        process = subprocess.Popen([self.binary, "--config", str(self.configuration), "--quiet", *arguments], stdout=subprocess.PIPE)
        stdout = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.cost = time.monotonic() - begun, usage.ru_maxrss / 1024
        return process.returncode, stdout, ""


def seconds(command):
    begun = time.monotonic()
    subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return time.monotonic() - begun


def declared(store, target):
    """Everything that is declared: (document, identity, file)."""
    below = store.below(store.commit(store.resolve("main")).tree, target.path)[1]
    for file, blob in store.files(below):
        for document in read(store.object(blob))[0]:
            yield document, document.identity(target.namespace), f"{target.path}/{file}"


def drifted(found, dice):
    """The objects with up to FINDINGS fields changed by hand, and the files that declare those."""
    objects, files, left = [], set(), FINDINGS
    plain = [entry for entry in found if entry[0].kind not in SKIPPED]
    share = -(-FINDINGS // max(1, len(plain)))
    for document, identity, file in found:
        value = placed(document.value, identity)
        objects.append(value)
        if document.kind in SKIPPED:
            continue
        fields = [steps for steps in samples(document.value, Shape(document.kind))
                  if steps[-1][0] == "field" and isinstance(look(value, steps), str) and len(look(value, steps)) < 100]
        for steps in dice.sample(fields, min(left, share, len(fields))):
            put(value, steps, "never")
            files.add(file)
            left -= 1
    return objects, sorted(files)


def bench(binary, folder, name, repository, target):
    """The rows of one repository."""
    store, dice = Store(repository), random.Random(1)
    found = list(declared(store, target))
    objects, files = drifted(found, dice)
    equal = [placed(document.value, identity) for document, identity, _ in found]
    in_repository = ["git", "-C", str(repository)]
    log = [*in_repository, "log", "--raw", "--first-parent", "--format=%H", "main", "--", target.path]
    log = statistics.median(seconds(log) for _ in range(RUNS))
    some = dice.sample(files, min(BLAMED, len(files)))
    blame = sum(seconds([*in_repository, "blame", "--porcelain", "main", "--", file]) for file in some) * len(files) / len(some)
    settings = {"limits": {"historyTime": "9m", "historyCommits": 1_000_000}}

    def program(which):
        return Measured(binary, folder / f"{name}-{which}", repository, [target], settings=settings)

    def median(program):
        costs = []
        for _ in range(RUNS):
            program.scan()
            costs.append(program.cost)
        return statistics.median(cost[0] for cost in costs), max(cost[1] for cost in costs)

    # The same findings where there is no history: what they cost besides attribution.
    tip = folder / f"{name}-tip.git"
    without_history(repository, tip)
    bare = Measured(binary, folder / f"{name}-bare", tip, [target], settings=settings)
    bare.live(objects)
    bare.scan()
    base, base_peak = median(bare)
    none = program("none")
    none.live(equal)
    none.scan()
    first_without = none.cost
    without, without_peak = median(none)
    many = program("many")
    many.live(objects)
    count = len(many.scan()["findings"])
    first = many.cost
    following, following_peak = median(many)

    after, after_without = [], []
    for n in range(RUNS):
        content = store.object(f"main:{files[n]}") + f"# {n}\n".encode()
        for where, program, costs in ((repository, many, after), (tip, bare, after_without)):
            commit(where, files[n], content)
            program.scan()
            costs.append(program.cost[0])
    new, new_without = statistics.median(after), statistics.median(after_without)
    store.close()

    commits = git(repository, "rev-list", "--count", "--first-parent", "main")
    print(f"\n{name}: {commits} commits, {len(found)} objects, {count} findings in {len(files)} files")
    row("git log --raw --first-parent -- PATH", log)
    row(f"git blame of the {len(files)} files" + (f" (from {len(some)} of them)" if len(some) < len(files) else ""), blame)
    row("scan, no findings, first", *first_without)
    row("scan, no findings, next", without, without_peak)
    row(f"scan, {count} findings, first", *first)
    row(f"scan, {count} findings, next", following, following_peak)
    row(f"scan, {count} findings, after one new commit", new)
    row("scan, the same findings without history, next", base, base_peak)
    row("scan, the same findings without history, after one new commit", new_without)
    ratio("the index, against git log", (first_without[0] - without) / log, "aim: 2 at most")
    ratio("git blame, against what the first attribution costs", blame / (first[0] - first_without[0] - base + without), "aim: 10 at least")
    ratio("git blame, against what attribution costs the next scan", blame / max(following - base, 0.001), "the same")
    ratio("after one new commit, ms more than without history", (new - new_without) * 1000, "aim: less than 50")


def row(what, took, peak=None):
    print(f"  {what:60} {took:9.3f} s" + (f" {peak:9.1f} MiB" if peak else ""))


def ratio(what, value, aim):
    print(f"  {what:66} {value:9.2f}   ({aim})")


def without_history(repository, tip):
    """A repository with the same files in one commit."""
    Importer.git("init", "--quiet", "--bare", "--initial-branch", "main", str(tip))
    (tip / "objects/info/alternates").write_text(f"{repository / 'objects'}\n")
    made = git(repository, "commit-tree", "main^{tree}", "-m", "All of it", env={**ENVIRONMENT, **WHO})
    git(tip, "update-ref", "refs/heads/main", made)


def commit(repository, file, content):
    """One more commit on main, which gives a file that has findings this content, and declares nothing else."""
    stream = (f"commit refs/heads/main\ncommitter Bot <bot@example.com> {int(time.time())} +0000\ndata 5\nbench\n"
              f"from refs/heads/main^0\nM 100644 inline {file}\ndata {len(content)}\n").encode()
    subprocess.run(["git", "-C", str(repository), "fast-import", "--quiet"], input=stream + content + b"\n", check=True)


def main():
    binary, commits, files = [*sys.argv[1:], *("20000", "2000")[len(sys.argv) - 2:]]
    commits, files = int(commits), int(files)
    with tempfile.TemporaryDirectory(prefix="blame-bench-") as folder:
        folder = Path(folder)
        begun = time.monotonic()
        histories.large(folder / "synthetic.git", commits, files)
        print(f"made {commits} commits of {files} manifests in {time.monotonic() - begun:.1f} s", flush=True)
        Importer.git("-C", str(folder / "synthetic.git"), "repack", "-adq")
        bench(binary, folder, "synthetic", folder / "synthetic.git", Target("synthetic", "clusters/prod", "default"))
        bundle = os.environ.get("DRIFTLEDGER_TEST_CORPUS")
        if not bundle:
            print("not run: the corpus, as DRIFTLEDGER_TEST_CORPUS names none")
            return
        Importer.git("clone", "--quiet", "--bare", "--branch", "main", bundle, str(folder / "corpus.git"))
        bench(binary, folder, "corpus", folder / "corpus.git", Target("corpus", "manifests", "monitoring"))


if __name__ == "__main__":
    main()
