/* The system of pool_system.py as somebody who knows Promela would write it; without K, the one before its fix.
   Compile with -DN= requesters, -DW= stream workers, -DC= chunks, -DK= callback workers (spin -a -DN=4 ...). */

chan stream = [2 * N] of { byte };  /* i is dispatch of requester i, N + i its read */
bool blob[N], reply[N];

active [N] proctype requester() {
  byte done;
submit: stream ! _pid;
  atomic { reply[_pid] -> reply[_pid] = false; done++; if :: done < C -> goto submit :: else fi };
end: false
}

#ifdef K
chan callback = [N] of { byte };

active [W] proctype worker() {
  byte task;
end:
  do
  :: stream ? task;
     if
     :: atomic { task < N -> stream ! N + task };
        atomic { callback ! task; task = 0 }
     :: atomic { task >= N -> blob[task - N] = true; task = 0 }
     fi
  od
}

active [K] proctype callback_worker() {
  byte task;
end:
  do
  :: callback ? task;
     atomic { blob[task] -> blob[task] = false };
     atomic { reply[task] = true; task = 0 }
  od
}
#else
active [W] proctype worker() {
  byte task;
end:
  do
  :: stream ? task;
     if
     :: atomic { task < N -> stream ! N + task };
        atomic { blob[task] -> blob[task] = false };
        atomic { reply[task] = true; task = 0 }
     :: atomic { task >= N -> blob[task - N] = true; task = 0 }
     fi
  od
}
#endif
