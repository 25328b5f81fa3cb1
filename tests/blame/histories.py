"""Generated repositories: random histories of every shape that Git knows, and a large plain one. The same seed gives the same ids."""

import random
from dataclasses import replace

import state as states
from importing import START, Importer
from objects import APIS


class History:
    """A history that grows; heads are numbers of commits."""

    def __init__(self, path, seed, commits, count):
        self.dice = random.Random(seed)
        self.importer = Importer(path)
        self.commits = {}  # number to (state, parents)
        head = self.commit(states.first(self.dice, count), (), "Declare everything")
        while len(self.commits) < commits:
            if self.dice.random() < 0.6:
                head = self.plain(head)
            else:
                head = self.dice.choice([
                    self.merged, self.merged, self.merged, self.merged_against_the_grain, self.merged_by_itself, self.fast_forwarded,
                    self.squashed, self.rebased, self.foxtrot, self.octopus, self.criss_cross, self.nested, self.reverted,
                    self.reverted, self.cherry_picked, self.one_side_only])(head)
        self.head = head

    def state(self, number):
        return self.commits[number][0]

    def commit(self, state, parents, subject):
        # Clocks lie: by minutes, by days, and now and then by decades.
        time = START + 600 * len(self.commits) + int(self.dice.gauss(0, 200_000)) * (self.dice.random() < 0.3)
        time = self.dice.choice([time] * 30 + [1, 4_102_444_800])
        author = self.dice.choice(["Ada", "Grace", "Edsger", "Barbara"])
        number = self.importer.commit(state.files(), parents, subject, author, time, self.dice.choice(["+0000", "-0930", "+1400"]))
        self.commits[number] = (state, tuple(parents))
        return number

    def past(self, head):
        """Earlier states, a few."""
        found = [self.state(head)]
        while self.commits[head][1] and len(found) < 40:
            head = self.commits[head][1][0]
            found.append(self.state(head))
        return found

    def plain(self, head):
        state, subject = states.operate(self.state(head), self.dice, self.past(head))
        return self.commit(state, [head], subject)

    def several(self, head, most=3):
        for _ in range(self.dice.randint(1, most)):
            head = self.plain(head)
        return head

    def perhaps(self, head):
        return self.several(head, 2) if self.dice.random() < 0.6 else head

    def fork(self, head):
        """Where a branch begins: at the head or a little before."""
        for _ in range(self.dice.choice([0, 0, 1, 3])):
            if parents := self.commits[head][1]:
                head = parents[0]
        return head

    def base(self, ours, theirs):
        seen, left = {ours}, [ours]
        while left:
            for parent in self.commits[left.pop()][1]:
                if parent not in seen:
                    seen.add(parent)
                    left.append(parent)
        left = [theirs]
        while left[0] not in seen:
            left += self.commits[left.pop(0)][1]
        return left[0]

    def join(self, ours, theirs):
        return states.three_way(self.state(self.base(ours, theirs)), self.state(ours), self.state(theirs), self.dice)

    def merge(self, ours, theirs, subject="merge", state=None):
        return self.commit(state or self.join(ours, theirs), [ours, theirs], subject)

    def merged(self, head):
        side = self.several(self.fork(head))
        return self.merge(self.perhaps(head), side)

    def merged_by_itself(self, head):
        """The merge itself changes something that neither side has."""
        side, ours = self.several(self.fork(head)), self.perhaps(head)
        state, subject = states.operate(self.join(ours, side), self.dice, self.past(head))
        return self.merge(ours, side, f"merge, and {subject}", state)

    def merged_against_the_grain(self, head):
        """The merge takes all of one side."""
        side, ours = self.several(self.fork(head)), self.perhaps(head)
        return self.merge(ours, side, "merge, one side wins", self.state(self.dice.choice([ours, side])))

    def fast_forwarded(self, head):
        side = self.several(head)
        return side if self.dice.random() < 0.5 else self.merge(head, side, "merge without fast-forward", self.state(side))

    def squashed(self, head):
        side = self.several(self.fork(head))
        ours = self.perhaps(head)
        return self.commit(self.join(ours, side), [ours], "squash")

    def replayed(self, head, number):
        """A commit's change once more on another head."""
        state, parents = self.commits[number]
        before = self.state(parents[0])
        return states.three_way(before, self.state(head), state, self.dice)

    def rebased(self, head):
        fork, side = self.fork(head), []
        tip = fork
        for _ in range(self.dice.randint(1, 3)):
            tip = self.plain(tip)
            side.append(tip)
        head = self.perhaps(head)
        for number in side:
            head = self.commit(self.replayed(head, number), [head], "rebased")
        return head

    def cherry_picked(self, head):
        side = self.several(self.fork(head))
        head = self.commit(self.replayed(self.perhaps(head), side), [head], "cherry-pick")
        return self.merge(head, side, "merge after a cherry-pick") if self.dice.random() < 0.5 else head

    def foxtrot(self, head):
        """The line turns: what was main is merged into the branch, and the branch becomes main."""
        side = self.several(self.fork(head))
        return self.merge(side, self.perhaps(head), "foxtrot")

    def octopus(self, head):
        sides = [self.several(self.fork(head), 2) for _ in range(self.dice.choice([2, 3]))]
        state = self.state(head)
        for side in sides:
            state = states.three_way(self.state(self.base(head, side)), state, self.state(side), self.dice)
        return self.commit(state, [head, *sides], "octopus")

    def criss_cross(self, head):
        ours, theirs = self.several(head), self.several(head)
        crossed = self.merge(ours, theirs, "cross"), self.merge(theirs, ours, "criss")
        return self.merge(*(self.perhaps(each) for each in crossed), "criss-cross")

    def nested(self, head):
        side = self.several(self.fork(head))
        inner = self.several(side)
        side = self.merge(self.perhaps(side), inner, "merge into a branch")
        if self.dice.random() < 0.5:
            head = self.plain(head)
            side = self.merge(side, head, "catch up")
        return self.merge(self.perhaps(head), side, "merge a branch with merges")

    def one_side_only(self, head):
        """A branch that fell behind for long."""
        side = self.plain(head)
        for _ in range(6):
            head = self.plain(head)
        return self.merge(head, side, "late merge")

    def reverted(self, head):
        """A commit taken back, sometimes once more taken back."""
        number = head
        for _ in range(self.dice.randint(0, 6)):
            if self.commits[number][1] and self.commits[self.commits[number][1][0]][1]:
                number = self.commits[number][1][0]
        if not self.commits[number][1]:
            return self.plain(head)
        undone = states.three_way(self.state(number), self.state(head), self.state(self.commits[number][1][0]), self.dice)
        reverted = self.commit(undone, [head], "revert")
        if self.dice.random() < 0.5:
            return reverted
        later = self.perhaps(reverted)
        again = states.three_way(self.state(reverted), self.state(later), self.state(head), self.dice)
        return self.commit(again, [later], "revert the revert")

    def finish(self):
        """A last commit that can be scanned: no file is broken, each object stands once and at a version that is served."""
        state = self.state(self.head).copy()
        state.others.pop("clusters/b/more/broken.yaml", None)
        for key in [key for key in state.items if key[3]]:
            item = state.items.pop(key)
            state.items.setdefault((*key[:3], 0), item)
        for key, item in state.items.items():
            state.items[key] = replace(item, api=APIS[item.value["kind"]][0]) if item.value["kind"] in APIS else item
        if state.files() != self.state(self.head).files():
            self.head = self.commit(state, [self.head], "tidy up")


def generate(path, seed, commits=120, count=24):
    """Writes a repository. Branches: `main`; `before`, an earlier commit of its line; `rewritten`, another history that forks off
    before main's end, as a forced push leaves it."""
    history = History(path, seed, commits, count)
    history.finish()
    head = history.head
    line = [head]
    while history.commits[line[-1]][1]:
        line.append(history.commits[line[-1]][1][0])
    before = line[min(len(line) - 1, 1 + history.dice.randrange(8))]
    history.head = line[min(len(line) - 1, 3 + history.dice.randrange(10))]
    for _ in range(history.dice.randint(2, 6)):
        history.head = history.dice.choice([history.plain, history.plain, history.merged])(history.head)
    history.finish()
    history.importer.close(main=head, before=before, rewritten=history.head)


def large(path, commits=20_000, files=2_000):
    """A plain history: each commit changes one file, every tenth three, in 50 folders."""
    importer, dice = Importer(path), random.Random(1)

    def file(number):
        return f"clusters/prod/ns-{number % 50:02}/app-{number}.yaml"

    def text(number, revision):
        return f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: app-{number}, namespace: ns-{number % 50:02}}}
spec:
  replicas: {1 + revision % 5}
  selector: {{matchLabels: {{app: app-{number}}}}}
  template:
    metadata: {{labels: {{app: app-{number}}}}}
    spec:
      containers:
      - name: app
        image: registry.example.com/app-{number}:1.{revision // 3}
        env:
        - {{name: REVISION, value: "{revision // 2}"}}
        - {{name: LEVEL, value: info}}
        resources: {{limits: {{memory: 128Mi}}}}
""".encode()
    revisions = [0] * files
    head = importer.commit({file(number): text(number, 0) for number in range(files)}, (), "Declare everything")
    for at in range(1, commits):
        written = {}
        for number in dice.sample(range(files), 3 if at % 10 == 0 else 1):
            revisions[number] += 1
            written[file(number)] = text(number, revisions[number])
        head = importer.commit(written, [head], f"Release {at}", whole=False)
    return importer.close(main=head)[head]
