"""The many ways in which people write one object: YAML in block or flow style, JSON, lists of objects; and one value."""

import json
import random
import re

SAFE = re.compile(r"[A-Za-z][A-Za-z0-9./_-]*(:[A-Za-z0-9._/-]+)*\Z")
WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


class Spelled(tuple):
    """A value with several spellings: what JSON has for it, then texts of YAML."""

    @property
    def json(self):
        return self[0]


def dump(value, style, name):
    """An object as a document of YAML; the same style and name give the same text."""
    dice = random.Random(f"{style}/{name}")
    habits = Habits(dice)
    lines = [f"# {dice.choice(['managed by hand', 'see the runbook', 'TODO: tidy up'])}"] if dice.random() < 0.3 else []
    return "\n".join(lines + habits.block(value, 0)) + "\n"


def dump_list(values, style, name):
    """Objects as one List."""
    return dump({"apiVersion": "v1", "kind": "List", "items": values}, style, name)


def dump_json(values, style):
    """Objects as JSON: one alone, several in a List."""
    value = values[0] if len(values) == 1 else {"apiVersion": "v1", "kind": "List", "items": values}
    return json.dumps(plain(value), indent=random.Random(style).choice([None, 1, 4]), sort_keys=bool(style % 2)) + "\n"


def plain(value):
    """A value as JSON has it."""
    if isinstance(value, Spelled):
        return value.json
    if isinstance(value, dict):
        return {key: plain(below) for key, below in value.items()}
    return [plain(below) for below in value] if isinstance(value, list) else value


class Habits:
    """How one hand writes."""

    def __init__(self, dice):
        self.dice = dice
        self.indent = dice.choice([2, 2, 4])
        self.dash = dice.choice([0, 2])
        self.quote = dice.choice(["", "", "'", '"'])
        self.shuffled = dice.random() < 0.4
        self.flow = dice.choice([0, 0, 0.3])
        self.remarks = dice.choice([0, 0.05])

    def keys(self, value):
        keys = list(value)
        if self.shuffled:
            self.dice.shuffle(keys)
        return keys

    def block(self, value, depth):
        pad, lines = " " * depth, []
        if isinstance(value, dict):
            for key in self.keys(value):
                head = f"{pad}{self.key(key)}:"
                if self.dice.random() < self.remarks:
                    lines.append(f"{pad}# {key} was discussed")
                lines += self.entry(head, value[key], depth, self.dash if isinstance(value[key], list) else self.indent)
        else:
            for item in value:
                inner = self.block(item, depth + 2) if self.nested(item) else [f"{pad}  {self.scalar(item)}"]
                at = next(n for n, line in enumerate(inner) if not line.lstrip().startswith("#"))
                inner[at] = f"{pad}- {inner[at][depth + 2:]}"
                lines += inner
        return lines

    @staticmethod
    def nested(value):
        return isinstance(value, (dict, list)) and not isinstance(value, Spelled) and bool(value)

    def entry(self, head, value, depth, indent):
        if isinstance(value, str) and "\n" in value and value.endswith("\n") and not value.startswith((" ", "\n")) and self.quote != '"':
            pad = " " * (depth + self.indent)
            return [f"{head} |", *(pad + line if line else "" for line in value[:-1].split("\n"))]
        if not self.nested(value):
            return [f"{head} {self.scalar(value)}{'  # for now' if self.dice.random() < self.remarks else ''}"]
        if self.dice.random() < self.flow:
            return [f"{head} {self.inline(value)}"]
        return [head, *self.block(value, depth + indent)]

    def inline(self, value):
        if not self.nested(value):
            return self.scalar(value, True)
        if isinstance(value, dict):
            return "{" + ", ".join(f"{self.key(key)}: {self.inline(value[key])}" for key in self.keys(value)) + "}"
        return "[" + ", ".join(self.inline(item) for item in value) + "]"

    def key(self, key):
        return key if SAFE.match(key) and key.lower() not in WORDS and ":" not in key else json.dumps(key)

    def scalar(self, value, flow=False):
        if isinstance(value, Spelled):
            return self.dice.choice(value[1:])
        if not isinstance(value, str):
            return json.dumps(value)
        simple = SAFE.match(value) and value.lower() not in WORDS and not (flow and ":" in value)
        if "\n" in value or self.quote == '"' or not value.isprintable():
            return json.dumps(value)
        return value if simple and not self.quote else "'" + value.replace("'", "''") + "'"
