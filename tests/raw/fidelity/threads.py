"""Raw scripts that work in threads of their own. Plain Python decides how each has to end."""

from __future__ import annotations

from tests.raw.fidelity.case import BOTH, Case
from tests.raw.fidelity.cases import CARS

WORK = """
import threading

def work(n=7):
    with app.app_context(), db.engine.begin() as c:
        c.execute(text("INSERT INTO cars (id, plate) VALUES (:n, 'T' || CAST(:n AS text))"), {"n": n})

"""
LINES = {
    "joined": """
thread = threading.Thread(target=work)
thread.start()
thread.join()
work(8)
""",
    "not_joined": """
threading.Thread(target=work).start()
""",
    "after_a_while": """
threading.Timer(0.05, work).start()
""",
    "subclass": """
class Worker(threading.Thread):
    def run(self):
        work(12)

Worker().start()
""",
    "bare": """
import _thread

ended = threading.Event()
_thread.start_new_thread(lambda: (work(), ended.set()), ())
ended.wait()
""",
    "pool": """
from concurrent.futures import ThreadPoolExecutor

with ThreadPoolExecutor(3) as threads:
    list(threads.map(work, range(10, 20)))
""",
    "asyncio": """
import asyncio

asyncio.run(asyncio.to_thread(work))
""",
    "error_of_a_thread": """
thread = threading.Thread(target=work, args=(1,))
thread.start()
thread.join()
work(8)
""",
    "error_after_a_thread": """
thread = threading.Thread(target=work)
thread.start()
thread.join()
raise ValueError("after its commit")
""",
    "ddl": """
def alter():
    with app.app_context(), db.engine.begin() as c:
        c.execute(text("CREATE INDEX ix_a ON cars (a)"))
        c.execute(text("ALTER TABLE cars ADD COLUMN c integer DEFAULT 3"))

thread = threading.Thread(target=alter)
thread.start()
thread.join()
with db.engine.begin() as c:
    c.execute(text("UPDATE cars SET c = 9 WHERE id = 1"))
""",
    "session": """
def update():
    with app.app_context():
        db.session.execute(text("UPDATE cars SET a = 5"))
        db.session.commit()

thread = threading.Thread(target=update)
thread.start()
thread.join()
db.session.execute(text("UPDATE cars SET b = 5"))
db.session.commit()
""",
    "connection_handed_over": """
with db.engine.begin() as c:
    thread = threading.Thread(target=lambda: c.execute(text("UPDATE cars SET a = 4")))
    thread.start()
    thread.join()
""",
}
CASES = tuple(Case(f"thread_{name}", BOTH, WORK + lines, setup=CARS) for name, lines in LINES.items())
