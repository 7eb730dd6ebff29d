#pragma once

#include <functional>
#include <memory>

#include "actors/examiner/line_worker.hpp"
#include "base/error.hpp"

namespace picket {

/// Loads the rule set that a request names.
using rules_loader =
    std::function<result<std::shared_ptr<const engine::ruleset>>(const protocol::examination::request&)>;

/// The life of the child process that looks for the lines of which the analysis dies: reads one request from
/// `in`, writes steps to `out`, answers its exit code.
///
/// It loads the rule set once and has a fork of itself, the worker, run the records. When the worker dies,
/// the record that it had begun is reported and another fork goes on behind it: a fatal line costs a fork,
/// not a load. Its own process must have one thread only. It ends when its parent does.
int run_examination_child(int in, int out, const rules_loader& load);

} // namespace picket
