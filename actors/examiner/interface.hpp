#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>
#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include "actors/dispatcher/work.hpp"
#include "actors/membership/interface.hpp"

namespace picket {

/// A batch that is to be examined: a copy, since its room in the pool may be given away meanwhile.
struct examination_order {
  struct record {
    agent_id agent = 0;
    std::int64_t arrival_ms = 0;
    record_kind kind = record_kind::sealed;
    std::string bytes;
  };
  batch_id batch;
  std::vector<record> records;
  std::string reason; ///< why all of it is set aside
};
using examination_order_ptr = std::shared_ptr<const examination_order>;

/// What became of it.
struct examined {
  std::vector<std::uint32_t> left_out; ///< records that are not to be analysed any more
  bool settled = true; ///< false: the disk did not take a letter; ask again later, analyse nothing of it
};

} // namespace picket

CAF_BEGIN_TYPE_ID_BLOCK(picket_examiner, caf::first_custom_type_id + 200)

CAF_ADD_ATOM(picket_examiner, picket, examine_atom, "examine")
CAF_ADD_ATOM(picket_examiner, picket, aside_atom, "aside")

CAF_ADD_TYPE_ID(picket_examiner, (picket::examination_order_ptr))
CAF_ADD_TYPE_ID(picket_examiner, (picket::examined))

CAF_END_TYPE_ID_BLOCK(picket_examiner)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(picket::examination_order_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(picket::examined)

namespace picket {

/// The EXAMINER: finds the lines of which the analysis dies, by running a batch line by line in a child
/// process, and sets them aside as dead letters. An event of the node says so in the shard of each agent.
///
/// Runs on a thread of its own, since it waits for the child and the disk. One batch at a time, each at most
/// `examination_limits::total_ms`; the dispatcher asks for one at a time. The child dies,
/// hangs or lies: that is what it is for. It cannot be started: the batch is left as it is. The disk takes no
/// letter: the answer says so, and the batch keeps the line. The examiner dies: the node stops. It freezes:
/// the dispatcher goes on without it, see there.
using examiner_actor = caf::typed_actor<
    // From the dispatcher, before a batch is run for the third time: find the lines of which it dies.
    //   -> the records that were set aside; none, if nothing could be found out
    caf::replies_to<examine_atom, examination_order_ptr>::with<examined>,
    // From the dispatcher, when a batch has failed three times all the same: set all its lines aside.
    //   -> all records
    caf::replies_to<aside_atom, examination_order_ptr>::with<examined>,
    // INTERNAL: events about letters that found no room are tried again.
    //   -> no answer
    caf::reacts_to<tick_atom>>;

} // namespace picket
