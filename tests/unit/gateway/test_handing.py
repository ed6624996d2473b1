"""What waits to be written is bounded, counted when it is dropped, and tried again."""

import asyncio

from goldsmith.gateway.handing import MAX_AT_ONCE, Dropped, Handing

KEY = ("local", "support")


def test_what_finds_no_room_is_counted_and_room_is_free_again_once_it_is_written() -> None:
    taken: list[str] = []
    counted: list[Dropped] = []

    def sink(items: tuple[str, ...], dropped: Dropped) -> None:
        taken.extend(items)
        counted.append(dropped)

    async def fill() -> None:
        handing: Handing[str] = Handing(sink, max_bytes=2)
        for item in "abc":
            handing.add(item, 1, KEY)
        assert await handing.hand_over()
        handing.add("d", 2, KEY)
        await handing.close()

    asyncio.run(fill())
    assert taken == ["a", "b", "d"]
    assert counted == [{KEY: 1}, {}]


def test_it_comes_in_portions_and_what_was_not_taken_keeps_its_place() -> None:
    sizes: list[int] = []
    firsts: list[int] = []
    broken = [True]

    def sink(items: tuple[int, ...], dropped: Dropped) -> None:
        del dropped
        if broken:
            broken.pop()
            raise OSError("the database is away")
        sizes.append(len(items))
        firsts.append(items[0])

    async def fill() -> None:
        handing: Handing[int] = Handing(sink)
        for number in range(MAX_AT_ONCE + 1):
            handing.add(number, 1, KEY)
        assert not await handing.hand_over()
        await handing.close()

    asyncio.run(fill())
    assert (sizes, firsts) == ([MAX_AT_ONCE, 1], [0, MAX_AT_ONCE])


def test_a_count_alone_is_handed_over_too() -> None:
    counted: list[Dropped] = []

    async def drop() -> None:
        handing: Handing[str] = Handing(lambda _, dropped: counted.append(dropped))
        handing.drop(KEY)
        await handing.close()

    asyncio.run(drop())
    assert counted == [{KEY: 1}]
