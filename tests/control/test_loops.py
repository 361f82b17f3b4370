"""Of a loop that waits for ever it is told which of its tasks wait, and where."""

import asyncio
import threading

from simcore import control
from simcore.command.controlled import controlled_json


def opposed():
    async def move(one, other):
        async with one:
            await asyncio.sleep(0)
            async with other:
                pass

    async def main():
        first, second = asyncio.Lock(), asyncio.Lock()
        await asyncio.gather(move(first, second), move(second, first))

    asyncio.run(main())


def many():
    async def waits(event):
        await event.wait()

    async def main():
        await asyncio.gather(*(waits(asyncio.Event()) for _ in range(8)))

    asyncio.run(main())


def in_a_thread():
    async def given():
        yield await asyncio.Event().wait()

    async def asks():
        async for _ in given():
            pass

    thread = threading.Thread(target=lambda: asyncio.run(asks()), name="loop")
    thread.start()
    thread.join()


def lines_at(found, name):
    return [line.partition(": ")[2] for line in str(found).split("\n") if f" in {name}(): " in line]


def test_tasks_are_told_by_the_line_in_which_they_wait():
    found = control(opposed, schedules=1).violation
    assert lines_at(found, "opposed") == ["main"]
    assert lines_at(found, "opposed.main") == ["Task-1 of main"]
    assert lines_at(found, "opposed.move") == ["Task-2 of main, Task-3 of main"]


def test_many_tasks_are_counted():
    result = control(many, schedules=1)
    names = [f"Task-{number} of main" for number in range(2, 10)]
    told = " ".join(str(result.violation).split())
    assert f" in many.waits(): {', '.join(names[:5])}, and 3 more" in told
    assert list(controlled_json(result)["tasks"]) == ["Task-1 of main", *names]


def test_the_loop_of_a_thread_has_tasks_and_what_they_iterate_over_is_gone_into():
    assert lines_at(control(in_a_thread, schedules=1).violation, "in_a_thread.given") == ["Task-1 of loop"]


def test_where_there_is_no_loop_there_are_no_tasks():
    event = threading.Event()
    assert control(event.wait, schedules=1).violation.tasks == {}
