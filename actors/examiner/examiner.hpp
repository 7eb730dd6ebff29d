#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/agent_session/notice_sink.hpp"
#include "actors/examiner/examination.hpp"
#include "actors/examiner/interface.hpp"
#include "actors/examiner/letter_office.hpp"
#include "actors/membership/agent_status.hpp"
#include "store/registry/registry_tables.hpp"

namespace picket {

struct examiner_setup {
  /// Runs the records of a request in children.
  std::function<examination_findings(protocol::examination::request)> examine;
  /// What is the same for every request: rule set, outputs, names.
  protocol::examination::request common;
  std::shared_ptr<letter_office> letters;
  std::shared_ptr<store::registry_tables> tables;
  std::shared_ptr<agent_status_table> statuses;
  std::shared_ptr<notice_sink> notices;
  std::shared_ptr<const metrics> counts;
  std::shared_ptr<event_log> log;
};

/// The request for the children; agents that are not registered any more are left out.
protocol::examination::request make_request(const examination_order& order, const examiner_setup& setup,
                                            bool evaluate);

/// The letters of a batch. `whole`: of every record that is or may be a line, else only of the fatal ones.
std::vector<store::dead_letter> make_letters(const examination_order& order,
                                             const protocol::examination::request& request,
                                             const examination_findings& findings, bool whole,
                                             std::int64_t now_ms);

struct examiner_state {
  examined examine(const examination_order& order);
  examined set_aside(const examination_order& order);
  /// A line with the text of a letter that is kept already is counted only, as it is by the decoder. False:
  /// the disk did not take all.
  bool keep(const std::vector<store::dead_letter>& letters);
  /// The letters of an order that could not all be written: they are not looked for again.
  const std::vector<store::dead_letter>* unwritten_of(const examination_order& order, bool whole) const;
  /// Keeps the letters, and what is to be answered.
  examined answer_of(const examination_order& order, bool whole, std::vector<store::dead_letter> letters);
  /// Tells each agent's shard once what was set aside of its lines.
  void announce(const std::vector<store::dead_letter>& letters);
  void send_notices();

  struct notice {
    agent_id agent = 0;
    std::string text;
  };
  struct unwritten {
    batch_id batch;
    bool whole = false;
    std::vector<store::dead_letter> letters;
  };
  static constexpr std::size_t unwritten_kept = 64;  ///< of more a child has to find them again
  static constexpr std::size_t notices_kept = 1'000; ///< more are not sent; the letters are there

  examiner_actor::pointer self = nullptr;
  examiner_setup setup;
  std::deque<notice> waiting;  ///< found no room in the pool
  std::deque<unwritten> found; ///< oldest first
  static inline const char* name = "examiner";
};

examiner_actor::behavior_type examiner(examiner_actor::stateful_pointer<examiner_state> self,
                                       examiner_setup setup);

} // namespace picket
