#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "engine/api.hpp"
#include "net/connection.hpp"

namespace picket {

/// How a record of a batch is to be read.
enum class record_kind : std::uint8_t {
  sealed = 0,     ///< as it came off a connection: tag and ciphertext
  plain = 1,      ///< an event message that the node itself made about an agent
  over_limit = 2, ///< sealed, of an agent that sends more than it may: only control messages count
  again = 3,      ///< an event message that was a dead letter
  left_out = 4    ///< became a dead letter: not to be analysed; never in the pool
};

/// One record of a batch; `bytes` points into the pool.
struct batch_record {
  agent_id agent = 0;
  net::connection_token connection = 0; ///< 0: none
  std::int64_t arrival_ms = 0;
  record_kind kind = record_kind::sealed;
  std::string_view bytes;
};

/// Memory for the opened texts of a batch: stable addresses, slack for matchers behind every text.
class text_store {
public:
  /// Copies; the view stays until `clear`.
  std::string_view keep(std::string_view text);
  void clear();

private:
  static constexpr std::size_t chunk_bytes = 256 * 1024;
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::size_t chunk_ = 0;
  std::size_t used_ = 0;
  std::vector<std::unique_ptr<char[]>> large_;
};

/// A batch on its way through an executor, with the state of its shard. One owner at a time: dispatcher,
/// decoder, rule, sink, dispatcher.
struct work {
  batch_id id;
  shard_id shard = 0;
  std::uint32_t attempt = 1;
  bool opened = false;   ///< the decoder is through with its records, and the sessions know
  bool examined = false; ///< what is fatal in it, as far as that could be found, is left out
  std::size_t executor = 0;
  std::vector<batch_record> records;
  std::shared_ptr<const engine::ruleset> rules;
  std::shared_ptr<engine::shard_state> state;

  // By the decoder.
  text_store texts;
  std::vector<std::shared_ptr<const engine::source>> sources; ///< keeps alive what the events point to
  std::vector<engine::event_in> events;

  // By the rule.
  engine::batch_out out;
};

using work_ptr = std::shared_ptr<work>;

} // namespace picket
