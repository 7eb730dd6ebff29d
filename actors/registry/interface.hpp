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

#include "actors/registry/answers.hpp"
#include "protocol/registry/commands.hpp"

namespace picket::registry {

struct proposal {
  protocol::command command;
  std::int64_t deadline_ms = 0; ///< steady clock of this process
};
using proposal_ptr = std::shared_ptr<const proposal>;

struct registry_status {
  std::string backend;
  std::uint64_t revision = 0;
  std::size_t agents = 0;
  std::size_t groups = 0;
  std::size_t waiting_commands = 0;
  bool writable = true;
};

} // namespace picket::registry

CAF_BEGIN_TYPE_ID_BLOCK(picket_registry, caf::first_custom_type_id)

CAF_ADD_ATOM(picket_registry, picket, propose_atom, "propose")
CAF_ADD_ATOM(picket_registry, picket, outcome_atom, "outcome")
CAF_ADD_ATOM(picket_registry, picket, subscribe_atom, "subscribe")
CAF_ADD_ATOM(picket_registry, picket, changed_atom, "changed")
CAF_ADD_ATOM(picket_registry, picket, commit_atom, "commit")
CAF_ADD_ATOM(picket_registry, picket, status_atom, "status")

CAF_ADD_TYPE_ID(picket_registry, (picket::registry::proposal_ptr))
CAF_ADD_TYPE_ID(picket_registry, (picket::registry::propose_answer))
CAF_ADD_TYPE_ID(picket_registry, (picket::registry::changes_ptr))
CAF_ADD_TYPE_ID(picket_registry, (picket::registry::registry_status))
CAF_ADD_TYPE_ID(picket_registry, (picket::protocol::request_id))

namespace picket {

/// A REGISTRY SUBSCRIBER: whoever wants to know of committed changes.
using registry_subscriber_actor = caf::typed_actor<
    // From the registry, after each committed batch, in order of revisions.
    //   -> no answer; no error. A subscriber that dies is forgotten.
    //   A slow one holds nothing up: it misses nothing, its mailbox holds at most what was committed
    //   meanwhile, and commits are paced by the disk.
    caf::reacts_to<changed_atom, registry::changes_ptr>>;

} // namespace picket

CAF_ADD_TYPE_ID(picket_registry, (picket::registry_subscriber_actor))

CAF_END_TYPE_ID_BLOCK(picket_registry)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(picket::registry::proposal_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(picket::registry::propose_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(picket::registry::changes_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(picket::registry::registry_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(picket::protocol::request_id)

namespace picket {

/// The REGISTRY: agents, keys, groups. The only one that changes them.
///
/// Bound: `queue_limit` commands wait; up to `batch_limit` are committed together.
/// Runs on a thread of its own, since a commit waits for the disk.
/// The registry dies: the node cannot take changes any more and stops; readers go on until then.
/// An asker dies: its command is committed all the same; a repeat with its request id gets the result.
/// Freezes (slow disk): askers run into their own time limits; the outcome can be asked later.
using registry_actor = caf::typed_actor<
    // From the enroller, the API, sessions (confirmations): decide and commit this command.
    //   -> ok or refused once it is decided and committed
    //   -> busy, too_late: nothing was done
    //   -> unavailable: the disk refused; nothing was done
    caf::replies_to<propose_atom, registry::proposal_ptr>::with<registry::propose_answer>,
    // From an asker whose proposal got no answer: what came of it?
    //   -> ok or refused with the stored result; unavailable: it was not done and never will be
    caf::replies_to<outcome_atom, protocol::request_id>::with<registry::propose_answer>,
    // From anyone that wants to be told of changes from now on.
    //   -> no answer
    caf::reacts_to<subscribe_atom, registry_subscriber_actor>,
    // INTERNAL: commit what has gathered.
    //   -> no answer
    caf::reacts_to<commit_atom>,
    // From the API and the metrics page.
    //   -> figures of this moment
    caf::replies_to<status_atom>::with<registry::registry_status>>;

} // namespace picket
