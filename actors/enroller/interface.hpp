#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>
#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include "net/address.hpp"

namespace picket {

/// One line that came in on the enrollment port.
struct enrollment_exchange {
  std::string line;       ///< without its line end
  net::ip_address source; ///< the peer, or whom the balancer names
  /// Takes the answer; the connection ends behind it. Thread-safe, called once.
  std::function<void(std::string)> answer;
};
using exchange_ptr = std::shared_ptr<enrollment_exchange>;

} // namespace picket

CAF_BEGIN_TYPE_ID_BLOCK(picket_enroller, caf::first_custom_type_id + 80)

CAF_ADD_ATOM(picket_enroller, picket, enroll_atom, "enroll")

CAF_ADD_TYPE_ID(picket_enroller, (picket::exchange_ptr))

CAF_END_TYPE_ID_BLOCK(picket_enroller)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(picket::exchange_ptr)

namespace picket {

/// The ENROLLER: turns a line of port 1515 into an agent of the registry, and the outcome into the answer.
///
/// Bound: one message for each open exchange; the port takes at most `enrollment.max_exchanges`.
/// The registry dies or freezes: the agent is told "Internal manager error" within 8 s and comes back.
/// The connection ends first: the agent stays registered, unconfirmed; a repeat gets the same id and key.
/// The enroller dies: open exchanges end by their time limit, and the node stops.
using enroller_actor = caf::typed_actor<
    // From the port's connections: answer this line.
    //   -> no answer as a message; `answer` of the exchange is called exactly once
    caf::reacts_to<enroll_atom, exchange_ptr>>;

} // namespace picket
