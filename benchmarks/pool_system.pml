/* The system of pool_system.py for Spin, step for step: take a task, submit, set, wait, reply.
   Compile with -DN= requesters, -DW= stream workers, -DK= callback workers, -DC= chunks (spin -a -DN=4 ...).
   A task of requester i (from 1) on a stream worker: i dispatch, N+i read, 2N+i dispatch after its first submit;
   on a callback worker: i waits, N+i has what was read. */

chan stream = [2 * N] of { byte };
chan callback = [N] of { byte };
byte blob[N];
byte reply[N];

active [N] proctype requester() {
  byte at;
end:
  do
  :: d_step { at % 2 == 0 && at < 2 * C -> stream!(_pid + 1); at++ }
  :: d_step { at % 2 == 1 && reply[_pid] > 0 -> reply[_pid]--; at++ }
  od
}

active [W] proctype worker() {
  byte task;
end:
  do
  :: d_step { task == 0 && nempty(stream) -> stream?task }
  :: d_step { task >= 1 && task <= N -> stream!(N + task); task = 2 * N + task }
  :: d_step { task > N && task <= 2 * N -> blob[task - N - 1]++; task = 0 }
  :: d_step { task > 2 * N -> callback!(task - 2 * N); task = 0 }
  od
}

active [K] proctype callback_worker() {
  byte task;
end:
  do
  :: d_step { task == 0 && nempty(callback) -> callback?task }
  :: d_step { task >= 1 && task <= N && blob[task - 1] > 0 -> blob[task - 1]--; task = N + task }
  :: d_step { task > N -> reply[task - N - 1]++; task = 0 }
  od
}
