#pragma once

#include <cstdint>
#include <memory>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>
#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include "actors/membership/interface.hpp"
#include "actors/registry/interface.hpp"

namespace picket {

struct work;
using work_ptr = std::shared_ptr<work>;

/// Figures of the dispatcher.
struct dispatch_status {
  std::size_t executors = 0;
  std::size_t busy = 0;
  std::size_t ready_shards = 0;
  std::uint64_t batches = 0;
  std::uint64_t requeued = 0;
};

} // namespace picket

CAF_BEGIN_TYPE_ID_BLOCK(picket_dispatch, caf::first_custom_type_id + 170)

CAF_ADD_ATOM(picket_dispatch, picket, ready_atom, "ready")
CAF_ADD_ATOM(picket_dispatch, picket, open_atom, "open")
CAF_ADD_ATOM(picket_dispatch, picket, evaluate_atom, "evaluate")
CAF_ADD_ATOM(picket_dispatch, picket, append_atom, "append")
CAF_ADD_ATOM(picket_dispatch, picket, write_atom, "write")
CAF_ADD_ATOM(picket_dispatch, picket, done_atom, "done")
CAF_ADD_ATOM(picket_dispatch, picket, again_atom, "again")
CAF_ADD_ATOM(picket_dispatch, picket, drain_atom, "drain")

CAF_ADD_TYPE_ID(picket_dispatch, (picket::work_ptr))
CAF_ADD_TYPE_ID(picket_dispatch, (picket::dispatch_status))

CAF_END_TYPE_ID_BLOCK(picket_dispatch)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(picket::work_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(picket::dispatch_status)

namespace picket {

/// The ALERT SINK: writes what a batch raised to the journal, with one write for each file.
///
/// Runs on a thread of its own. Bound: one work for each executor.
/// The disk refuses: the work stays and is tried again every second; its executor stays busy, so the pool
/// fills and connections are paused: nothing that was read is lost. The sink dies: the dispatcher is told,
/// and the node stops; the batches are in the pool.
using alert_sink_actor = caf::typed_actor<
    // From a rule: append this work's texts.
    //   -> no answer; the work goes to the dispatcher as `done` when it is written (with `journal.sync:
    //   strict`: when it
    //      is on the disk)
    caf::reacts_to<append_atom, work_ptr>,
    // INTERNAL: write what has gathered.
    //   -> no answer
    caf::reacts_to<write_atom>,
    // From the node that stops: force everything to the disk.
    //   -> true; false if the disk refused
    caf::replies_to<flush_atom>::with<bool>,
    // INTERNAL: every second or as often as `journal.sync_interval_ms` says, force to the disk what is due
    // and begin the files of a new day.
    //   -> no answer
    caf::reacts_to<tick_atom>>;

/// The RULE half of an executor: evaluates the events of a work and renders what they raise. Keeps no state
/// between two works but scratch memory.
///
/// Bound: one work at a time. Dies: the dispatcher runs the batch again on a new executor.
using rule_actor = caf::typed_actor<
    // From the decoder of the same executor: evaluate.
    //   -> no answer; the work goes on to the sink. An event that the rules drop is counted.
    caf::reacts_to<evaluate_atom, work_ptr>>;

/// The DECODER half of an executor: opens the sealed records of a work, gives control messages to their
/// sessions, closes the connections of bad records, and makes events of the rest.
///
/// Bound: one work at a time; caches of openers and sources are limited. Dies: as the rule.
using decoder_actor = caf::typed_actor<
    // From the dispatcher: open.
    //   -> no answer; the work goes on to the rule. Bad records are counted and end their connection.
    caf::reacts_to<open_atom, work_ptr>>;

/// The DISPATCHER: which shard runs where, and the states of the shards.
///
/// At most one batch of a shard is at work, so an agent's events are analysed in their order. A free executor
/// takes the ready shard that has waited longest. Bound: one `ready` for each shard that has work and was not
/// announced; the pool bounds what waits. An executor dies: when both halves are gone its batch runs again on
/// a new one, with the state as far as it had come. Attempts count over processes: before the third the
/// examiner finds the lines of which the analysis dies, and they are left out; if it fails all the same, all
/// its lines become dead letters. The shard waits meanwhile, so order stays, and so it does while the disk
/// takes no letter; executors work for others. A batch that an earlier process has begun and not finished
/// runs alone. The examiner does not answer: the third attempt is made as it is; setting aside is asked
/// again. The dispatcher dies: the node stops; what was read is in the pool.
using dispatcher_actor = caf::typed_actor<
    // From the intake, once until the shard has been emptied: this shard has work.
    //   -> no answer
    caf::reacts_to<ready_atom, std::uint16_t>,
    // From the sink: the work is written; its state comes back, its segments are free.
    //   -> no answer
    caf::reacts_to<done_atom, work_ptr>,
    // INTERNAL: the shard's batch is to be examined once more.
    //   -> no answer
    caf::reacts_to<again_atom, std::uint16_t>,
    // From the node that stops: answer when no work is left.
    //   -> true
    caf::replies_to<drain_atom>::with<bool>,
    // From the API.
    //   -> figures of this moment
    caf::replies_to<status_atom>::with<dispatch_status>>;

} // namespace picket
