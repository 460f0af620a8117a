/** Cells that write records by hand, for what real work would take too long to make. */

/** A cache as one meets it after an hour: several functions, replaced entries, misses of several causes. */
export const SAMPLE = `
import time
from jupyter_jitmagic.records.log import *
now = time.time()
def _function(id, name, **facts):
    log.functions[id] = FunctionRecord(id=id, name=name, module="__main__", qualname=name, filename="model.py", line=3, **facts)
    log.listeners.emit(Changed("functions", id))
def _entry(id, function, avals, **facts):
    log.entries[id] = EntryRecord(id=id, function=function, avals=avals, last_used_s=now, **facts)
    log.listeners.emit(Changed("entries", id))
def _miss(id, function, entry, causes, cost, site):
    log.misses.append(MissRecord(id=id, call=id, function=function, entry=entry, causes=causes, cost_s=cost, call_site=site, started_s=now - 60 + id))
    log.listeners.emit(Changed("misses", id))
_function(1, "padded", static_argnames=("n",), calls=9, hits=6, misses=3, compile_s=0.131)
_function(2, "conditional_double", calls=12, hits=11, misses=1, compile_s=0.038)
_function(3, "value_function_iteration", calls=204, hits=200, misses=4, compile_s=3.4, static_argnames=("grid", "tolerance"))
_function(4, "train_step", calls=120034, hits=120032, misses=2, compile_s=0.9)
_function(5, "<lambda>", calls=3, hits=0, misses=3, compile_s=0.09, superseded=True)
_function(6, "Model.apply", calls=0)
for i, n in enumerate((5, 8, 13)):
    _entry(10 + i, 1, f"f32[{n}]", static={"n": str(n)}, hits=(4, 2, 0)[i], trace_s=.004, lower_s=.003, compile_s=.043, execute_s=(8.1e-6, 7.9e-6, None)[i], superseded=i == 0,
           executable_bytes=12345, temp_bytes=0, argument_bytes=20, output_bytes=52)
_entry(20, 2, "f32[], f32[]", hits=11, trace_s=.001, lower_s=.001, compile_s=.038, execute_s=5.1e-6)
for i in range(4):
    _entry(30 + i, 3, "f32[200], f32[200,200], {'beta': f32[], 'sigma': f32[]}", static={"grid": "200", "tolerance": f"1e-{i + 3}"}, hits=50, trace_s=.12, lower_s=.05, compile_s=.85, execute_s=0.0021 + i * 1e-3, executable_bytes=91234, temp_bytes=320000)
_entry(40, 4, "{'w': f32[784,128], 'b': f32[128]}, f32[32,784], i32[32]", hits=120032, trace_s=.08, lower_s=.04, compile_s=.45, execute_s=340e-6, transformation="grad")
_miss(1, 1, 10, (Cause("first_call"),), .050, "model.py:3")
_miss(2, 1, 11, (Cause("static_value", "n", "5", "8"), Cause("shape", "x", "f32[5]", "f32[8]")), .050, "model.py:3")
_miss(3, 2, 20, (Cause("first_call"),), .040, "model.py:1")
_miss(4, 3, 30, (Cause("static_value", "tolerance", "1e-3", "1e-4"),), 1.02, "model.py:12")
_miss(5, 4, 40, (Cause("pytree_structure", "batch['image']", "f32[32,784]", "absent"),), .57, "model.py:2")
_miss(6, 5, 99, (Cause("new_function"),), .030, "model.py:1")
`;

/** A compile that goes on until the cell ends, as far as the panel can tell. */
export const COMPILING = `
import time
from threading import get_ident
from jupyter_jitmagic.records.log import *
begun = time.time()
log.listeners.emit(PhaseEvent(3, "value_function_iteration", "trace", begun, thread=get_ident()))
log.listeners.emit(PhaseEvent(3, "value_function_iteration", "trace", begun, duration_s=0.12, thread=get_ident()))
log.listeners.emit(PhaseEvent(3, "value_function_iteration", "lower", begun, thread=get_ident()))
log.listeners.emit(PhaseEvent(3, "value_function_iteration", "lower", begun, duration_s=0.05, thread=get_ident()))
log.listeners.emit(PhaseEvent(3, "value_function_iteration", "compile", begun, thread=get_ident()))
time.sleep(60)
`;
