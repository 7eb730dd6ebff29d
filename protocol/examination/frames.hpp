#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"

/// What a node and the child process that looks for a fatal line say to each other: frames of four bytes of
/// length, little-endian, and a msgpack map. One request goes to the child; steps come back. Neither side
/// believes the other: the child may be anything after a line has spoiled its memory.

namespace picket::protocol::examination {

inline constexpr std::size_t max_request_bytes = 64 * 1024 * 1024;
inline constexpr std::size_t max_step_bytes = 256 * 1024;

/// What opening a record needs to know of its agent.
struct agent_facts {
  struct label {
    std::string key;
    std::string value;
    bool hidden = false;
    friend bool operator==(const label&, const label&) = default;
  };
  agent_id id = 0;
  std::string name;
  std::string key;
  std::string registered_address;
  std::string address; ///< as its last keep-alive said; may be empty
  std::vector<label> labels;

  friend bool operator==(const agent_facts&, const agent_facts&) = default;
};

enum class record_form : std::uint8_t {
  sealed = 0,  ///< as it came off a connection
  message = 1, ///< an event message
  none = 2     ///< nothing to be analysed; keeps the place of its number
};

struct record {
  agent_id agent = 0;
  record_form form = record_form::sealed;
  std::int64_t arrival_ms = 0;
  std::string bytes;

  friend bool operator==(const record&, const record&) = default;
};

/// A batch to be run line by line.
struct request {
  std::string ruleset_dir; ///< empty: the one that comes with the program
  std::int64_t alert_level = 3;
  std::int64_t email_alert_level = 12;
  bool alerts_json = true;
  bool alerts_text = false;
  bool archives_json = false;
  bool evaluate = true; ///< false: the records are only opened
  std::string manager_name;
  std::string cluster_name;
  std::string node_name;
  batch_id batch;
  std::uint32_t first = 0; ///< record to begin with
  std::vector<agent_facts> agents;
  std::vector<record> records;

  friend bool operator==(const request&, const request&) = default;
};

/// The request with its length in front. More than `max_request_bytes` are an error of the caller.
std::string encode(const request& what);
/// Errors: corrupt.
result<request> decode_request(std::string_view body) noexcept;

enum class step_kind : std::uint8_t {
  ready = 0,    ///< the rule set is loaded
  begun = 1,    ///< of this record nothing more is known if the child dies
  opened = 2,   ///< `text` is the record's event message
  died = 3,     ///< the analysis of this record ended the child's worker; `text` says how
  finished = 4, ///< all records are done
  failed = 5    ///< nothing can be examined; `text` says why
};

struct step {
  step_kind kind = step_kind::ready;
  std::uint32_t record = 0;
  std::string text;

  friend bool operator==(const step&, const step&) = default;
};

std::string encode(const step& what);
/// Errors: corrupt.
result<step> decode_step(std::string_view body) noexcept;

/// Cuts frames out of bytes that come in pieces.
class frame_cutter {
public:
  explicit frame_cutter(std::size_t max_body_bytes)
      : max_body_bytes_{max_body_bytes} {}

  void feed(std::string_view bytes);
  /// The next whole frame's body; empty: more bytes are needed. The view lasts until `feed`. Errors: corrupt
  /// (an empty frame, or one above the limit); nothing can be read behind it.
  result<std::string_view> next();

private:
  std::size_t max_body_bytes_;
  std::string buffer_;
  std::size_t at_ = 0;
};

} // namespace picket::protocol::examination
