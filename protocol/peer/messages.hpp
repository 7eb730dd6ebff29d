#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "protocol/peer/frame.hpp"

/// What nodes say to each other. docs/peer-protocol.md describes the bytes, key by key.

namespace picket::protocol::peer {

/// What this program speaks. Nodes work together when their ranges overlap; the greatest version that both
/// have is the one of the connection.
inline constexpr std::uint8_t protocol_oldest = 1;
inline constexpr std::uint8_t protocol_newest = 1;

/// Numbers of the frames' types. They travel, so they are pinned.
enum class message_type : std::uint8_t {
  hello = 1,
  heartbeat = 2,
  command = 3,
  command_answer = 4,
  request = 5,
  response = 6,
  close = 7,
  part = 8
};

inline constexpr std::size_t max_name_bytes = 128;
inline constexpr std::size_t max_capabilities = 64;
inline constexpr std::size_t max_heard = 256;
inline constexpr std::size_t max_text_bytes = 1024;

/// The first frame of each side of a connection; anything else in front of it ends the connection.
struct hello {
  std::string cluster;                   ///< id of the cluster, 1..128 bytes
  std::uint32_t node = 0;                ///< id of the sender, not 0
  std::string name;                      ///< name of the sender, 1..128 bytes
  std::string version;                   ///< of its program, for people
  std::uint8_t oldest = 0;               ///< protocol range, both ends included; not 0
  std::uint8_t newest = 0;               ///< not below `oldest`
  std::uint32_t boot = 0;                ///< grows with each start of the sender
  std::vector<std::string> capabilities; ///< words; unknown ones are passed over

  friend bool operator==(const hello&, const hello&) = default;
};

/// Of one other node, what the sender hears.
struct heard_node {
  std::uint32_t node = 0;
  std::uint32_t silent_ms = 0; ///< since its last sign, on the sender's clock

  friend bool operator==(const heard_node&, const heard_node&) = default;
};

/// "I am here, and this is how I am." Its own lane; a newer one takes the place of one that waits.
struct heartbeat {
  std::uint64_t sequence = 0;      ///< grows by one within a boot
  std::uint32_t boot = 0;          ///< of the sender
  std::int64_t steady_ms = 0;      ///< sender's clock that never jumps, when it was sent
  std::int64_t wall_ms = 0;        ///< sender's wall clock at the same moment
  std::string version;             ///< of its program
  std::uint32_t load_permille = 0; ///< of its executors that are at work
  std::uint32_t free_executors = 0;
  bool ready_ingest = false;  ///< as its /health/ready/ingest says
  bool ready_control = false; ///< as its /health/ready/control says
  bool draining = false;
  std::uint64_t registry_revision = 0; ///< what its replica has applied
  std::uint64_t view_number = 0;       ///< of its own view
  std::vector<heard_node> heard;       ///< members that it hears; who is missing, it does not hear

  friend bool operator==(const heartbeat&, const heartbeat&) = default;
};

/// A change of the registry that is handed to the node that writes at present (registry 3.3).
struct forwarded_command {
  std::uint64_t id = 0;       ///< chosen by the sender, names the answer
  std::uint32_t limit_ms = 0; ///< how long the sender waits, from the arrival on; not 0
  std::string command;        ///< `protocol::encode(command)`, 1..65536 bytes

  friend bool operator==(const forwarded_command&, const forwarded_command&) = default;
};

/// What became of it. Numbers travel.
enum class command_outcome : std::uint8_t {
  done = 0,        ///< committed: revision and result stand
  refused = 1,     ///< decided against it: code and text stand
  unavailable = 2, ///< surely not done
  unknown = 3,     ///< may be done
  busy = 4,        ///< surely not done, too much waits
  too_late = 5,    ///< surely not done, the limit had passed or the command is too old
  not_writer = 6   ///< surely not done, this node does not write at present
};

struct command_answer {
  std::uint64_t id = 0;
  command_outcome outcome = command_outcome::unavailable;
  std::uint64_t revision = 0;
  std::uint16_t code = 0; ///< of the refusal, as in base/telemetry/error_codes.def
  std::string text;       ///< of the refusal, at most 1024 bytes
  std::string result;     ///< of the decision, at most 64 KiB

  friend bool operator==(const command_answer&, const command_answer&) = default;
};

/// A request of a typed proxy: what `body` means, `kind` says. Kinds belong to the actors that use them.
struct request {
  std::uint64_t id = 0; ///< chosen by the sender, names the answer
  std::uint16_t kind = 0;
  std::uint32_t limit_ms = 0; ///< how long the sender waits, from the arrival on; 0: it wants no answer
  std::string body;

  friend bool operator==(const request&, const request&) = default;
};

struct response {
  std::uint64_t id = 0;
  std::uint16_t code = 0; ///< 0: fine; else a number of base/telemetry/error_codes.def
  std::string text;       ///< of the error, at most 1024 bytes
  std::string body;

  friend bool operator==(const response&, const response&) = default;
};

/// Why a connection ends. Numbers travel; one that is not known reads as `other`.
enum class close_cause : std::uint8_t {
  other = 0,
  leaving = 1,       ///< the sender stops in an orderly way
  wrong_cluster = 2, ///< the clusters' ids differ
  wrong_node = 3,    ///< the hello names another node than the certificate
  not_member = 4,    ///< the receiver is no member, or no longer
  no_common_version = 5,
  duplicate = 6, ///< another connection of this pair is kept
  bad_frame = 7, ///< what the receiver sent does not read
  superseded = 8 ///< the receiver's later start has connected
};

/// The last frame of a connection.
struct close {
  close_cause cause = close_cause::other;
  std::string text; ///< at most 1024 bytes

  friend bool operator==(const close&, const close&) = default;
};

/// A piece of a message that is too large for one frame, or that must not hold up others. Pieces of one
/// message come in order; frames of other lanes may stand between them, pieces of another message may not.
struct part {
  std::uint64_t message = 0; ///< grows by one from message to message of a connection
  std::uint32_t offset = 0;
  std::uint32_t total = 0;  ///< size of the whole body, the same in each piece
  std::uint8_t version = 0; ///< version and type of the whole
  std::uint8_t type = 0;
  std::string bytes; ///< not empty

  friend bool operator==(const part&, const part&) = default;
};

using message =
    std::variant<hello, heartbeat, forwarded_command, command_answer, request, response, close, part>;

/// The type's name, for logs: "hello", "heartbeat", …
std::string_view name_of(message_type type) noexcept;
std::string_view name_of(close_cause cause) noexcept;
std::string_view name_of(command_outcome outcome) noexcept;
message_type type_of(const message& what) noexcept;

/// The version in which a message is written.
inline constexpr std::uint8_t body_version = 1;

/// The map of a message, without head and length. What is longer than its limit is cut (texts) or left out
/// (entries of lists), so that what is written reads back.
std::string encode_body(const message& what);
/// The whole frame. @pre its body fits into one frame; else send the body in parts (`parts_of`).
std::string encode(const message& what);

/// A message out of a frame, or nothing: a type or a version that this program does not know, to be skipped
/// and counted. Keys that it does not know are passed over. Errors: corrupt.
///
/// Bounds: nesting 8, at most 4096 elements in an array or map, 65536 in all; work linear in the body.
result<std::optional<message>> decode(const frame& from) noexcept;

} // namespace picket::protocol::peer
