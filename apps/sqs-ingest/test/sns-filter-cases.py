"""Writes sns-filter-cases.jsonl: policies, messages, and whether moto's SNS lets the message through. moto 5.2.1 is another
implementation, and not SNS. The cases leave out what it has not or gets wrong: wildcard, cidr, null, true and false; anything-but
with another operator than prefix, or on a String.Array; upper case in equals-ignore-case; a list in which a value stands before
exists=false; conditions on objects in arrays; a number beside a type that is none; $or beside names of the same object.

    python3 sns-filter-cases.py > sns-filter-cases.jsonl
"""
import json
import random

from moto.sns.utils import FilterPolicyMatcher

rng = random.Random(13)
WORDS = ["order", "order-new", "pay", "payment", "", "Ö", "a.b", "100"]
NUMBERS = [0, -1, 1.5, 99, 100, 100.0, 301.25, 1e3]
NAMES = ["type", "price", "tags", "region"]


def text_condition():
    word = rng.choice(WORDS)
    return rng.choice([
        word,
        {"prefix": word},
        {"suffix": word},
        {"equals-ignore-case": word.lower()},
        {"anything-but": [word, rng.choice(WORDS)]},
        {"anything-but": word},
        {"anything-but": {"prefix": word or "x"}},
    ])


def number_condition():
    number = rng.choice(NUMBERS)
    return rng.choice([
        number,
        {"numeric": [rng.choice(["=", "<", "<=", ">", ">="]), number]},
        {"numeric": [rng.choice([">", ">="]), number, rng.choice(["<", "<="]), number + rng.choice([1, 50, 0.5])]},
    ])


def conditions(name):
    if rng.random() < 0.15:
        return [{"exists": rng.random() < 0.5}]
    one = number_condition if name == "price" else exact_text if name == "tags" else text_condition
    return [one() for _ in range(rng.randint(1, 3))]


def exact_text():
    return rng.choice(WORDS)


def flat_policy():
    return {name: conditions(name) for name in rng.sample(NAMES, rng.randint(1, 3))}


def attributes():
    found = {}
    for name in NAMES:
        if rng.random() < 0.2:
            continue
        if name == "price":
            found[name] = {"Type": "Number", "Value": str(rng.choice(NUMBERS))}
        elif name == "tags":
            found[name] = {"Type": "String.Array", "Value": json.dumps(rng.sample(WORDS, rng.randint(0, 3)))}
        else:
            found[name] = {"Type": "String", "Value": rng.choice(WORDS)}
    return found


def body():
    found = {}
    for name in NAMES:
        if rng.random() < 0.2:
            continue
        if name == "tags":
            found[name] = rng.sample(WORDS, rng.randint(1, 3))
        else:
            found[name] = rng.choice(NUMBERS if name == "price" else WORDS)
    return found


def case():
    if rng.random() < 0.5:
        policy = flat_policy()
        if rng.random() < 0.2:
            policy = {"$or": [flat_policy(), flat_policy()]}
        message = attributes()
        matches = FilterPolicyMatcher(policy, "MessageAttributes").matches(message, "")
        return {"scope": "MessageAttributes", "policy": policy, "attributes": message, "matches": matches}
    policy = flat_policy()
    message = body()
    if rng.random() < 0.5:
        policy, message = {"detail": policy}, {"detail": message, "other": 1}
    matches = FilterPolicyMatcher(policy, "MessageBody").matches({}, json.dumps(message))
    return {"scope": "MessageBody", "policy": policy, "body": message, "matches": matches}


counts = {True: 0, False: 0}
while sum(counts.values()) < 360:
    one = case()
    # As many that pass as that do not.
    if counts[one["matches"]] < 180:
        counts[one["matches"]] += 1
        print(json.dumps(one, ensure_ascii=False, separators=(",", ":")))
