"""Fields of objects: how they are written, found and compared.

Paths are written as structured-merge-diff does. Which lists have keys is Kubernetes' API documentation's word for built-in kinds
("patch merge key" and "list map keys"), and `x-kubernetes-list-type` of its definition for a custom one.
"""

import copy
import json
import re
from decimal import Decimal, InvalidOperation

from manifests import canonical, tidy

ABSENT = "absent"
POD_SPECS = {
    "Deployment": "spec.template.spec", "DaemonSet": "spec.template.spec", "StatefulSet": "spec.template.spec",
    "ReplicaSet": "spec.template.spec", "Job": "spec.template.spec", "CronJob": "spec.jobTemplate.spec.template.spec", "Pod": "spec"}
OF_PODS = {
    "volumes": ["name"], "imagePullSecrets": ["name"], "hostAliases": ["ip"], "schedulingGates": ["name"],
    "topologySpreadConstraints": ["topologyKey", "whenUnsatisfiable"], "resourceClaims": ["name"]}
OF_CONTAINERS = {
    "env": ["name"], "ports": ["containerPort", "protocol"], "volumeMounts": ["mountPath"], "volumeDevices": ["devicePath"]}
OF_KINDS = {
    "Service": {"spec.ports": ["port", "protocol"]}, "ServiceAccount": {"secrets": ["name"]},
    "MutatingWebhookConfiguration": {"webhooks": ["name"]}, "ValidatingWebhookConfiguration": {"webhooks": ["name"]}}
DEFAULTS = {"protocol": "TCP"}
SUFFIXES = {"": 1, "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
            "P": 10**15, "E": 10**18, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
QUANTITIES = re.compile(
    r"(^|\.)(resources\.(limits|requests)\.[^.]+|hard\.[^.]+|emptyDir\.sizeLimit|capacity\.[^.]+)$")
# Types that are owned as a whole, or whose fields the server fills in: nothing below them is sampled.
WHOLES = {"selector", "valueFrom", "imagePullSecrets", "labelSelector", "nodeSelectorTerms", "claimRef", "scaleTargetRef"}


class Shape:
    """Which lists of a kind are matched by keys; `crd` is the definition of a custom kind, where there is one."""

    def __init__(self, kind, crd=None, version=None):
        self.kind, self.lists = kind, {}
        self.custom = crd is not None
        if crd:
            for served in crd["spec"]["versions"]:
                schema = served.get("schema", {}).get("openAPIV3Schema")
                if schema and served["name"] == version:
                    self._learn("", schema)
            return
        self.lists = dict(OF_KINDS.get(kind, {}))
        if pod := POD_SPECS.get(kind):
            self.lists.update({f"{pod}.{name}": keys for name, keys in OF_PODS.items()})
            for containers in ("containers", "initContainers", "ephemeralContainers"):
                self.lists[f"{pod}.{containers}"] = ["name"]
                self.lists.update({f"{pod}.{containers}.{name}": keys for name, keys in OF_CONTAINERS.items()})

    def _learn(self, at, schema):
        if schema.get("type") == "array":
            if schema.get("x-kubernetes-list-type") == "map":
                self.lists[at] = schema["x-kubernetes-list-map-keys"]
                self._learn(at, schema.get("items", {}))
            elif schema.get("x-kubernetes-list-type") == "set":
                self.lists[at] = "set"
        for name, below in schema.get("properties", {}).items():
            self._learn(f"{at}.{name}" if at else name, below)

    def keys(self, place):
        """The keys of the list at a place (names joined by dots), "set", or None where it is one value."""
        return "set" if place == "metadata.finalizers" else self.lists.get(place)


# A step is ("field", name), ("key", [(name, value)…]), ("item", value) or ("index", n).

def written(steps):
    text = ""
    for kind, what in steps:
        if kind == "field":
            text += f".{what}" if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", what) else f"[{_json(what)}]"
        elif kind == "key":
            text += "[" + ",".join(f"{name}={_json(value)}" for name, value in what) + "]"
        else:
            text += f"[={_json(what)}]" if kind == "item" else f"[{what}]"
    return text or "."


def _json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def parse(text):
    steps, at = [], 0
    decoder = json.JSONDecoder()
    if text == ".":
        return steps
    while at < len(text):
        if match := re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)").match(text, at):
            steps.append(("field", match[1]))
            at = match.end()
        elif text.startswith('["', at):
            name, at = decoder.raw_decode(text, at + 1)
            steps.append(("field", name))
            at += 1
        elif text.startswith("[=", at):
            value, at = decoder.raw_decode(text, at + 2)
            steps.append(("item", value))
            at += 1
        elif match := re.compile(r"\[([0-9]+)\]").match(text, at):
            steps.append(("index", int(match[1])))
            at = match.end()
        else:
            keys, at = [], at + 1
            while True:
                match = re.compile(r"([^=\]]+)=").match(text, at)
                if not match:
                    raise ValueError(f"not a path: {text}")
                value, at = decoder.raw_decode(text, match.end())
                keys.append((match[1], value))
                at += 1
                if text[at - 1] == "]":
                    break
            steps.append(("key", keys))
    return steps


def place(steps):
    return ".".join(what for kind, what in steps if kind == "field")


def _element(items, keys):
    def fits(item):
        if not isinstance(item, dict):
            return False
        return all(canonical(item.get(name, DEFAULTS.get(name))) == canonical(value) for name, value in keys)
    return next((at for at in reversed(range(len(items))) if fits(items[at])), None)


def look(value, steps):
    """What stands at a path; ABSENT where nothing or null does. Of elements with the same keys the last one is in force."""
    for kind, what in steps:
        if kind == "field":
            value = value.get(what) if isinstance(value, dict) else None
        elif not isinstance(value, list):
            return ABSENT
        elif kind == "key":
            at = _element(value, what)
            value = None if at is None else value[at]
        elif kind == "item":
            value = next((item for item in value if canonical(item) == canonical(what)), None)
        else:
            value = value[what] if what < len(value) else None
        if value is None:
            return ABSENT
    return value


def put(value, steps, new):
    """Sets what stands at a path, or takes it away where `new` is ABSENT."""
    parent = look(value, steps[:-1])
    kind, what = steps[-1]
    if kind == "field":
        parent.pop(what, None) if new is ABSENT else parent.__setitem__(what, copy.deepcopy(new))
    elif kind == "key":
        at = _element(parent, what)
        if at is not None:
            del parent[at]
        if new is not ABSENT:
            parent.insert(len(parent) if at is None else at, copy.deepcopy(new))
    else:
        raise ValueError("only fields and elements with keys are set")


def quantity(value):
    """A quantity as an exact number, or the value itself where it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return value
    match = re.fullmatch(r"([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)([numkMGTPE]|[KMGTPE]i)?", str(value))
    try:
        return f"quantity {(Decimal(match[1]) * SUFFIXES[match[2] or '']).normalize():f}" if match else value
    except InvalidOperation:
        return value


def normal(value, steps, quantities=True):
    """The text under which values of a field are compared."""
    if value is ABSENT:
        return ABSENT

    def walk(value, at):
        if isinstance(value, dict):
            return {key: walk(below, f"{at}.{key}" if at else key) for key, below in value.items()}
        if isinstance(value, list):
            return [walk(below, at) for below in value]
        return quantity(value) if quantities and QUANTITIES.search(at) else value
    return canonical(walk(tidy(value), place(steps)))


def leaves(value, shape, steps=()):
    """The declared fields of an object that can be told apart: scalars, empty maps, and lists that are one value."""
    if isinstance(value, dict) and value:
        for key, below in value.items():
            if below is not None:
                yield from leaves(below, shape, (*steps, ("field", key)))
    elif isinstance(value, list) and value and (keys := shape.keys(place(steps))):
        if keys == "set":
            yield from ((*steps, ("item", item)) for item in value)
            return
        for element in value:
            names = [(key, element.get(key, DEFAULTS.get(key))) for key in keys]
            here = (*steps, ("key", [(key, value) for key, value in names if value is not None]))
            yield from (leaf for leaf in leaves(element, shape, here) if leaf[:-1] != here or leaf[-1][1] not in keys)
    else:
        yield steps


def samples(value, shape):
    """The fields whose commit can be asked for: no identity, no bookkeeping, nothing inside a type that is one value."""
    for steps in leaves(value, shape):
        names = [what for kind, what in steps if kind == "field"]
        if names[0] in ("apiVersion", "kind", "status") or names[:2] in (["metadata", "name"], ["metadata", "namespace"]):
            continue
        if names[0] == "metadata" and names[1:2] not in (["labels"], ["annotations"]) or WHOLES & set(names[:-1]):
            continue
        if names[-1] in WHOLES or look(value, steps) in ({}, []):
            continue
        yield list(steps)
