#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "actors/decoder/event_source.hpp"
#include "engine/api.hpp"
#include "protocol/agent/record.hpp"
#include "protocol/examination/frames.hpp"

namespace picket {

/// Runs the records of a batch one by one with one state for all of them, as an executor would run the batch,
/// and says before each which one it is. For a process that may die of it.
class line_worker {
public:
  using reporter = std::function<void(const protocol::examination::step&)>;

  /// `what` must outlive the worker.
  line_worker(const protocol::examination::request& what, std::shared_ptr<const engine::ruleset> rules);
  ~line_worker();

  /// Reports that the record is begun, its message if it is an event, and evaluates it.
  void run(std::uint32_t record, const reporter& report);

private:
  struct opener;

  /// Empty: nothing that can be analysed.
  std::string_view message_of(const protocol::examination::record& record);
  void evaluate(std::uint32_t index, const protocol::event_message& message);

  const protocol::examination::request& what_;
  std::shared_ptr<const engine::ruleset> rules_;
  std::map<agent_id, opener> openers_;
  protocol::open_scratch opening_;
  std::string padded_; ///< the message with the slack that matchers need
  std::unique_ptr<engine::shard_state> shard_;
  engine::node_state node_;
  engine::first_seen_in_memory first_;
  engine::local_global_windows global_;
  engine::scratch memory_;
  engine::batch_out out_;
};

} // namespace picket
