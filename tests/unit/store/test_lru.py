"""What is kept in memory: bounded in bytes, the least used goes first."""

import threading
from itertools import count

import pytest

from wiretape.store.lru import LruCache


def kept(memory: LruCache[str], keys: str) -> str:
    """Which of these keys are there; the look makes none of them younger than another was."""
    return "".join(key for key in keys if memory.get(key) is not None)


def filled(limit: int, keys: str) -> LruCache[str]:
    memory: LruCache[str] = LruCache(limit)
    for key in keys:
        memory.put(key, key.upper(), 10)
    return memory


def test_a_value_by_its_key() -> None:
    memory = filled(30, "ab")
    assert (memory.get("a"), memory.get("b"), memory.get("c")) == ("A", "B", None)
    assert (len(memory), memory.size) == (2, 20)


def test_what_was_put_first_goes_first() -> None:
    memory = filled(30, "abcde")
    assert kept(memory, "abcde") == "cde"
    assert (len(memory), memory.size) == (3, 30)


def test_what_was_used_lately_stays() -> None:
    memory = filled(30, "abc")
    memory.get("a")
    memory.put("d", "D", 10)
    assert kept(memory, "abcd") == "acd"


def test_a_miss_makes_nothing_younger() -> None:
    memory = filled(30, "abc")
    memory.get("z")
    memory.put("d", "D", 10)
    assert kept(memory, "abcd") == "bcd"


def test_a_large_value_takes_the_place_of_several() -> None:
    memory = filled(30, "abc")
    memory.put("d", "D", 15)
    assert kept(memory, "abcd") == "cd"
    assert memory.size == 25


@pytest.mark.parametrize("size", [1, 10, 20])
def test_a_value_of_the_same_key_replaces(size: int) -> None:
    memory = filled(30, "ab")
    memory.put("a", "new", size)
    assert (memory.get("a"), memory.get("b")) == ("new", "B")
    assert (len(memory), memory.size) == (2, 10 + size)


def test_a_replaced_value_is_young() -> None:
    memory = filled(30, "abc")
    memory.put("a", "new", 10)
    memory.put("d", "D", 10)
    assert kept(memory, "abcd") == "acd"


def test_a_value_of_just_the_limit_is_kept_a_larger_one_is_not() -> None:
    memory = filled(30, "")
    memory.put("a", "A", 30)
    assert kept(memory, "a") == "a"
    memory.put("b", "B", 31)
    assert kept(memory, "ab") == "a"
    assert memory.size == 30


def test_a_value_that_has_become_too_large_is_not_served_as_it_was() -> None:
    memory = filled(30, "ab")
    memory.put("a", "new", 31)
    assert kept(memory, "ab") == "b"
    assert memory.size == 10


def test_with_a_limit_of_nothing_nothing_is_kept() -> None:
    memory = filled(0, "ab")
    assert (kept(memory, "ab"), len(memory), memory.size) == ("", 0, 0)


def test_a_value_that_is_dropped_frees_its_room() -> None:
    memory = filled(30, "abc")
    memory.drop("b")
    memory.drop("b")
    memory.drop("never there")
    memory.put("d", "D", 10)
    assert kept(memory, "abcd") == "acd"
    assert memory.size == 30


def test_all_is_forgotten() -> None:
    memory = filled(30, "abc")
    memory.clear()
    assert (kept(memory, "abc"), len(memory), memory.size) == ("", 0, 0)
    memory.put("a", "A", 30)
    assert kept(memory, "a") == "a"


def test_keys_are_told_apart_by_what_they_are_equal_to() -> None:
    memory: LruCache[str] = LruCache(30)
    memory.put(("POST", b"x", None), "one", 10)
    assert memory.get(("POST", b"x", None)) == "one"
    assert memory.get(("POST", b"x", "")) is None


def test_threads_leave_the_sizes_right() -> None:
    memory: LruCache[int] = LruCache(1000)
    begin, failures = threading.Barrier(4), list[Exception]()

    def work(seed: int) -> None:
        begin.wait()
        try:
            for number in range(3000):
                key = (number * (seed + 1)) % 40
                memory.put(key, key, 10 + key)
                assert memory.get(key) in (key, None)
                if number % 7 == 0:
                    memory.drop((key + 1) % 40)
                assert memory.size <= 1000 + 4 * 50  # What others are just putting in.
        except Exception as e:  # noqa: BLE001 - mitmproxy's own handshake follows: it works, or says what is wrong
            failures.append(e)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    there = [key for key in range(40) if memory.get(key) is not None]
    assert memory.size == sum(10 + key for key in there) <= 1000
    assert len(memory) == len(there) > 0


def test_what_is_kept_is_bounded_however_much_comes() -> None:
    memory: LruCache[int] = LruCache(100)
    for number, size in zip(count(), [1, 99, 100, 50, 51, 3, 97, 101, 0, 100] * 10, strict=False):
        memory.put(number, number, size)
        assert memory.size <= 100
