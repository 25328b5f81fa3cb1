"""Kubernetes objects, and what people change in them."""

import copy

from writing import Spelled

CRD = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
        "versions": [
            {"name": version, "served": True, "storage": version == "v1", "schema": {"openAPIV3Schema": {
                "type": "object", "properties": {"spec": {"type": "object", "properties": {
                    "size": {"type": "integer"}, "mode": {"type": "string"}, "on": {"type": "boolean"},
                    "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                              "items": {"type": "object", "properties": {
                                  "name": {"type": "string"}, "colour": {"type": "string"}, "weight": {"type": "number"}}}},
                    "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                    "steps": {"type": "array", "items": {"type": "string"}},
                    "settings": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}}}}}
            for version in ("v1alpha1", "v1")]}}

KINDS = [*["ConfigMap"] * 3, *["Deployment"] * 3, "Service", "Widget", "Widget", "Ingress", "ClusterRole"]
APIS = {"ConfigMap": ["v1"], "Service": ["v1"], "Deployment": ["apps/v1", "apps/v1beta2", "extensions/v1beta1"],
        "Widget": ["example.com/v1", "example.com/v1alpha1"], "Ingress": ["networking.k8s.io/v1", "extensions/v1beta1"],
        "ClusterRole": ["rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io/v1beta1"]}
CORES = [Spelled((spellings[0].strip('"'), *spellings)) for spellings in (
    ('"1"', "1000m", "1", "1.0"), ("500m", "'0.5'", "0.5"), ('"2"', "2000m", "2"), ("250m", '"0.25"'))]
BYTES = [Spelled(spellings[:1] + spellings) for spellings in (
    ("1Gi", "1024Mi", '"1073741824"', "1073741824"), ("256Mi", "0.25Gi"), ("2G", "2000M", "2e9"))]
NUMBERS = [Spelled((number, *spellings)) for number, *spellings in (
    (1, "1", "1.0", "0x1"), (2, "2", "0b10"), (8, "8", "010", "0_8"), (5, "5"), (1000, "1000", "1_000", "1e3"))]
FLAGS = [Spelled((True, "true", "yes", "on", "True")), Spelled((False, "false", "no", "off", "FALSE"))]
KEYS = ["mode", "level", "app.conf", "region", "zone", "feature/x", "note", "size"]
NAMES = ["MODE", "LEVEL", "REGION", "ZONE", "SIZE", "EDITION"]


def text(dice):
    return dice.choice(["alpha", "beta", "gamma", "delta", "1", "true", "10:30", "", "007", "line one\nline two\n", "it's", "a: b", "é"])


def word(dice):
    return dice.choice(["alpha", "beta", "gamma", "delta", "epsilon"])


def env(dice, name):
    return {"name": name, "value": text(dice)}


def container(dice, name):
    made = {"name": name, "image": image(dice), "env": [env(dice, each) for each in dice.sample(NAMES, dice.randint(1, 4))],
            "resources": {"limits": {"cpu": dice.choice(CORES), "memory": dice.choice(BYTES)}}}
    if dice.random() < 0.5:
        made["ports"] = [port(dice, number) for number in dice.sample([80, 443, 8080], dice.randint(1, 2))]
    if dice.random() < 0.5:
        made["args"] = [f"--{word(dice)}={word(dice)}" for _ in range(dice.randint(1, 3))]
    return made


def image(dice):
    return f"registry.example.com/{dice.choice(['api', 'web'])}:1.{dice.randint(0, 5)}"


def port(dice, number):
    made = {"containerPort": number, "protocol": "TCP", "name": f"p{number}"}
    for name, share in (("protocol", 0.5), ("name", 0.3)):
        if dice.random() < share:
            del made[name]
    return made


def make(kind, name, dice):
    """The value of an object: without apiVersion and namespace."""
    value = {"kind": kind, "metadata": {"name": name, "labels": {"app": name, "tier": word(dice)}}}
    if kind == "ConfigMap":
        value["data"] = {key: text(dice) for key in dice.sample(KEYS, dice.randint(2, 5))}
    elif kind == "Deployment":
        value["spec"] = {"replicas": dice.choice(NUMBERS), "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [container(dice, each) for each in dice.sample(["api", "side", "proxy"], dice.randint(1, 2))]}}}
    elif kind == "Service":
        value["spec"] = {"selector": {"app": name}, "ports": [{"name": f"p{number}", "port": number, "targetPort": number + 8000}
                                                             for number in dice.sample([80, 443, 9090], 2)]}
    elif kind == "Widget":
        value["spec"] = {"size": dice.choice(NUMBERS), "mode": word(dice), "on": dice.choice(FLAGS),
                         "tags": sorted({word(dice), word(dice)}),
                         "parts": [{"name": each, "colour": word(dice), "weight": dice.choice(NUMBERS)} for each in dice.sample("abcd", 2)],
                         "steps": [word(dice), word(dice)], "settings": {"deep": {"x": word(dice)}, "y": text(dice)}}
    elif kind == "Ingress":
        value["spec"] = {"ingressClassName": word(dice), "rules": [{"host": f"{word(dice)}.example.com"}]}
    else:
        value["rules"] = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", dice.choice(["list", "watch"])]}]
    return value


def changed(value, dice):
    """An object with one thing changed; mostly to a value of few, so that values come back."""
    value = copy.deepcopy(value)
    own = {"ConfigMap": _data, "Deployment": _deployment, "Service": _service, "Widget": _widget, "Ingress": _ingress, "ClusterRole": _role}
    (_metadata if dice.random() < 0.15 else own[value["kind"]])(value, dice)
    return value


def _entry(entries, keys, dice, new):
    """Changes, adds or takes away an entry of a map that stays non-empty."""
    key = dice.choice(keys if dice.random() < 0.3 else list(entries))
    if key in entries and len(entries) > 1 and dice.random() < 0.25:
        del entries[key]
    else:
        entries[key] = None if dice.random() < 0.03 and len(entries) > 1 and key in entries else new(dice)


def _element(items, key, names, dice, new):
    """Adds, takes away, renames, reorders an element of a list with keys that stays non-empty; returns one to be changed, or None."""
    roll, left = dice.random(), [name for name in names if name not in [item[key] for item in items]]
    if roll < 0.12 and left:
        items.insert(dice.randint(0, len(items)), new(dice, dice.choice(left)))
    elif roll < 0.22 and len(items) > 1:
        items.pop(dice.randrange(len(items)))
    elif roll < 0.32:
        dice.shuffle(items)
    elif roll < 0.37 and left:
        dice.choice(items)[key] = dice.choice(left)
    else:
        return dice.choice(items)
    return None


def _metadata(value, dice):
    if dice.random() < 0.5:
        _entry(value["metadata"]["labels"], ["tier", "team", "example.com/owner"], dice, word)
    else:
        annotations = value["metadata"].setdefault("annotations", {"example.com/note": "x"})
        _entry(annotations, ["example.com/note", "plain", "two words"], dice, text)


def _data(value, dice):
    _entry(value["data"], KEYS, dice, text)


def _deployment(value, dice):
    if dice.random() < 0.15:
        value["spec"]["replicas"] = dice.choice(NUMBERS)
        return
    one = _element(value["spec"]["template"]["spec"]["containers"], "name", ["api", "side", "proxy"], dice, container)
    if not one:
        return
    roll = dice.random()
    if roll < 0.3:
        one["image"] = image(dice)
    elif roll < 0.45:
        one["resources"]["limits"] = {"cpu": dice.choice(CORES), "memory": dice.choice(BYTES)}
    elif roll < 0.55 and "args" in one:
        one["args"] = [f"--{word(dice)}={word(dice)}" for _ in range(dice.randint(1, 3))]
    elif roll < 0.65 and "ports" in one:
        if each := _element(one["ports"], "containerPort", [80, 443, 8080], dice, port):
            each["name"] = word(dice)
    elif each := _element(one["env"], "name", NAMES, dice, env):
        each["value"] = text(dice)


def _service(value, dice):
    def new(dice, number):
        return {"name": f"q{number}", "port": number, "targetPort": number}
    if each := _element(value["spec"]["ports"], "port", [80, 443, 9090, 8443], dice, new):
        each["targetPort"] = dice.choice([8080, 8443, "http", "web"])


def _widget(value, dice):
    spec, roll = value["spec"], dice.random()
    if roll < 0.4:
        if each := _element(spec["parts"], "name", list("abcd"), dice, lambda dice, name: {"name": name, "colour": word(dice)}):
            each[dice.choice(["colour", "shade"])] = word(dice)
    elif roll < 0.5:
        spec["size"] = dice.choice(NUMBERS)
    elif roll < 0.6:
        spec["on"] = dice.choice(FLAGS)
    elif roll < 0.7:
        spec["tags"] = sorted({word(dice), word(dice)}, reverse=dice.random() < 0.5)
    elif roll < 0.8:
        dice.shuffle(spec["steps"])
        spec["steps"][0] = word(dice)
    else:
        _entry(spec["settings"], ["y", "z"], dice, text)


def _ingress(value, dice):
    if dice.random() < 0.5:
        value["spec"]["ingressClassName"] = word(dice)
    else:
        value["spec"]["rules"][0]["host"] = f"{word(dice)}.example.com"


def _role(value, dice):
    value["rules"][0]["verbs"] = ["get", *dice.sample(["list", "watch", "update"], dice.randint(1, 2))]
