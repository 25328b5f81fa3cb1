"""A generated repository at one commit: which objects stand in which files, and what commits do to them."""

import copy
from dataclasses import dataclass, replace

import objects
from oracle import Target
from writing import dump, dump_json, dump_list

A, B = Target("a", "clusters/a", "alpha"), Target("b", "clusters/b", "beta")
FOLDERS = {A: ["clusters/a", "clusters/a/apps", "clusters/a/base/deep"], B: ["clusters/b", "clusters/b/more"], None: ["staging"]}


def target_of(file):
    return next((target for target in (A, B) if file.startswith(target.path + "/")), None)


@dataclass(frozen=True)
class Item:
    """A declaration of an object. `order` is its place in its file."""
    value: dict
    api: str
    namespace: str
    written: bool
    file: str
    order: float

    def document(self):
        value = {"apiVersion": self.api, **copy.deepcopy(self.value)}
        target = target_of(self.file)
        if self.value["kind"] != "ClusterRole" and (self.written or not target or target.namespace != self.namespace):
            value["metadata"] = {**value["metadata"], "namespace": self.namespace}
        return value


class State:
    """`items` by (kind, namespace, name, copy); a style for each file; other files' bytes."""

    def __init__(self, items=(), styles=(), others=()):
        self.items, self.styles, self.others = dict(items), dict(styles), dict(others)

    def copy(self):
        return State(self.items, self.styles, self.others)

    def files(self):
        """The bytes of every file."""
        by_file = {}
        for key, item in sorted(self.items.items(), key=lambda entry: (entry[1].order, entry[0])):
            by_file.setdefault(item.file, []).append((key, item.document()))
        files = dict(self.others)
        for file, held in by_file.items():
            style = self.styles.get(file, 0)
            values = [value for _, value in held]
            if file.endswith(".json"):
                text = dump_json(values, style)
            elif style % 7 == 6:
                text = dump_list(values, style, file)
            else:
                text = "---\n" * (1 - style % 2) + "---\n".join(dump(value, style, str(key)) for key, value in held)
            files[file] = text.encode()
        return files


def first(dice, count):
    """A repository's first commit."""
    state = State(others={"README.md": b"# Clusters\n", "clusters/a/values.txt": b"replicas: 3\n"})
    state.items["crd", "", "widgets", 0] = Item(objects.CRD, objects.CRD["apiVersion"], "", True, "clusters/b/crd.yaml", 0)
    for _ in range(count):
        add(state, dice)
    return state


def add(state, dice):
    target, kind = dice.choice([A, A, B]), dice.choice(objects.KINDS)
    name, file = f"{kind.lower()}-{dice.randrange(10_000)}", some_file(state, dice, target)
    namespace = dice.choice([target.namespace, target.namespace, "shared"])
    item = Item(objects.make(kind, name, dice), dice.choice(objects.APIS[kind]), namespace, dice.random() < 0.5, file, dice.random())
    state.items[kind, namespace, name, 0] = item


def some_file(state, dice, target, fresh=0.4):
    """A file of a target, mostly one that is there."""
    there = sorted({item.file for item in state.items.values() if target_of(item.file) == target and "crd" not in item.file})
    if there and dice.random() > fresh:
        return dice.choice(there)
    return f"{dice.choice(FOLDERS[target])}/f{dice.randrange(1000)}{dice.choice(['.yaml', '.yaml', '.yml', '.json'])}"


def some(state, dice, wanted=lambda item: True):
    keys = sorted(key for key, item in state.items.items() if key[0] != "crd" and wanted(item))
    return dice.choice(keys) if keys else None


def change(state, dice, past):
    for _ in range(dice.choice([1, 1, 1, 2, 5])):
        key = some(state, dice)
        state.items[key] = replace(state.items[key], value=objects.changed(state.items[key].value, dice))


def restyle(state, dice, past):
    file = state.items[some(state, dice)].file
    state.styles[file] = dice.randrange(1000)


def restyle_all(state, dice, past):
    for file in sorted({item.file for item in state.items.values()}):
        state.styles[file] = dice.randrange(1000)


def rename_file(state, dice, past):
    old = state.items[some(state, dice)].file
    new = some_file(state, dice, target_of(old), fresh=1)
    moved(state, {key for key, item in state.items.items() if item.file == old}, new)
    if dice.random() < 0.5 and old in state.styles:
        state.styles[new] = state.styles.pop(old)


def moved(state, keys, file):
    for key in keys:
        state.items[key] = replace(state.items[key], file=file)


def move_object(state, dice, past):
    key = some(state, dice)
    moved(state, [key], some_file(state, dice, target_of(state.items[key].file)))


def move_between_targets(state, dice, past):
    key = some(state, dice)
    moved(state, [key], some_file(state, dice, B if target_of(state.items[key].file) == A else A))


def move_out(state, dice, past):
    moved(state, [some(state, dice)], some_file(state, dice, None))


def move_in(state, dice, past):
    if key := some(state, dice, lambda item: target_of(item.file) is None):
        moved(state, [key], some_file(state, dice, A))


def split_file(state, dice, past):
    file = state.items[some(state, dice)].file
    for key in sorted(key for key, item in state.items.items() if item.file == file):
        moved(state, [key], some_file(state, dice, target_of(file), fresh=1))


def merge_files(state, dice, past):
    folder = state.items[some(state, dice)].file.rpartition("/")[0]
    moved(state, [key for key, item in state.items.items() if item.file.rpartition("/")[0] == folder and key[0] != "crd"],
          f"{folder}/all{dice.randrange(100)}.yaml")


def remove(state, dice, past):
    del state.items[some(state, dice)]


def bring_back(state, dice, past):
    """An object of an earlier commit, as it was or changed."""
    before = dice.choice(past)
    if gone := sorted(set(before.items) - set(state.items)):
        key = dice.choice(gone)
        item = before.items[key]
        state.items[key] = item if dice.random() < 0.6 else replace(item, value=objects.changed(item.value, dice))


def copy_object(state, dice, past):
    key = some(state, dice)
    item = state.items[key]
    file = some_file(state, dice, target_of(item.file), fresh=1)
    state.items[(*key[:3], dice.randrange(1, 100))] = replace(item, file=file, order=dice.random())


def drop_copy(state, dice, past):
    if copies := sorted(key for key in state.items if key[3]):
        key = dice.choice(copies)
        state.items[(*key[:3], 0)] = replace(state.items.pop(key))


def move_group(state, dice, past):
    key = some(state, dice, lambda item: len(objects.APIS[item.value["kind"]]) > 1)
    if key:
        state.items[key] = replace(state.items[key], api=dice.choice(objects.APIS[key[0]]))


def write_namespace(state, dice, past):
    key = some(state, dice)
    state.items[key] = replace(state.items[key], written=not state.items[key].written)


def reorder(state, dice, past):
    key = some(state, dice)
    state.items[key] = replace(state.items[key], order=dice.random())


def break_or_mend(state, dice, past):
    if "clusters/b/more/broken.yaml" in state.others:
        del state.others["clusters/b/more/broken.yaml"]
    elif dice.random() < 0.15:
        state.others["clusters/b/more/broken.yaml"] = b"apiVersion: v1\nkind: [\n"


def unrelated(state, dice, past):
    state.others["README.md"] = f"# Clusters\n\n{dice.random()}\n".encode()


def nothing(state, dice, past):
    pass


OPERATIONS = [
    (change, 40), (restyle, 8), (restyle_all, 1), (rename_file, 4), (move_object, 4), (move_between_targets, 3), (move_out, 1),
    (move_in, 2),
    (split_file, 2), (merge_files, 1), (remove, 2), (bring_back, 3), (copy_object, 2), (drop_copy, 3), (move_group, 3),
    (write_namespace, 3), (reorder, 2), (break_or_mend, 2), (unrelated, 3), (nothing, 3)]


def operate(state, dice, past):
    """One random change. Returns the new state and what was done."""
    state = state.copy()
    operation = dice.choices([each for each, _ in OPERATIONS], [weight for _, weight in OPERATIONS])[0]
    operation(state, dice, past)
    if len(state.items) < 8:
        add(state, dice)
    elif dice.random() < 0.05:
        add(state, dice)
    return state, operation.__name__.replace("_", " ")


def three_way(base, ours, theirs, dice):
    """What a merge makes of two states; where both changed the same thing, one of them wins."""
    return State(*(_maps(*(getattr(state, name) for state in (base, ours, theirs)), dice) for name in ("items", "styles", "others")))


def _maps(base, ours, theirs, dice):
    merged = {}
    for key in sorted(set(base) | set(ours) | set(theirs), key=str):
        value = _values(base.get(key), ours.get(key), theirs.get(key), dice)
        if value is not None:
            merged[key] = value
    return merged


def _values(base, ours, theirs, dice):
    if ours == theirs or theirs == base:
        return ours
    if ours == base:
        return theirs
    if isinstance(ours, Item) and isinstance(theirs, Item) and isinstance(base, Item):
        fields = {name: _values(*(getattr(item, name) for item in (base, ours, theirs)), dice) for name in ours.__dataclass_fields__}
        return Item(**fields)
    if all(isinstance(each, dict) for each in (base, ours, theirs)):
        return _maps(base, ours, theirs, dice)
    return dice.choice([ours, theirs])
