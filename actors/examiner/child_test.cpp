#include "actors/examiner/child.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/faults/faults.hpp"
#include "base/testing/scratch_directory.hpp"
#include "engine/load/ruleset_files.hpp"
#include "picket_paths.hpp"

namespace picket {
namespace {

using namespace protocol::examination;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::shared_ptr<const engine::ruleset> own_rules() {
  static auto files = engine::read_ruleset_directory(PICKET_SOURCE_DIR "/config/ruleset").value();
  static auto compiled = engine::compile(files);
  return compiled.ruleset;
}

std::string seal(const std::string& message) {
  protocol::record_sealer sealer{protocol::derive_record_key("001", "web-01", "key")};
  protocol::seal_scratch memory{1};
  byte_buffer out;
  EXPECT_TRUE(sealer.seal(message, {protocol::record_cipher::aes, {0, 1}, 1, "001"}, out, memory));
  return std::string{as_text(out)};
}

request batch(const std::vector<std::string>& messages) {
  request what;
  what.manager_name = "mgr-01";
  what.node_name = "n1";
  what.archives_json = true;
  what.alerts_text = true;
  what.agents = {{1, "web-01", "key", "any", "192.0.2.7", {{"site", "lab", false}}}};
  for (const auto& message : messages)
    what.records.push_back({1, record_form::sealed, 1'700'000'000'000, seal(message)});
  return what;
}

/// The child in a process of its own, as it is in a node.
class Child : public ::testing::Test {
protected:
  std::vector<step> run(const std::string& input, const rules_loader& load) {
    auto in = dir.write("in", input);
    auto out = dir.path() / "out";
    auto pid = ::fork();
    if (pid == 0) {
      int from = ::open(in.c_str(), O_RDONLY);
      int to = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ::_exit(run_examination_child(from, to, load));
    }
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFEXITED(status));
    code = WEXITSTATUS(status);
    frame_cutter frames{max_step_bytes};
    auto bytes = dir.read("out");
    frames.feed(bytes);
    std::vector<step> steps;
    for (auto body = frames.next(); body && !body->empty(); body = frames.next())
      steps.push_back(decode_step(*body).value());
    return steps;
  }

  std::vector<step> run(const request& what) {
    return run(encode(what), [](const request&) { return own_rules(); });
  }

  testing::scratch_directory dir;
  int code = 0;
};

TEST_F(Child, SaysWhatItBeginsAndOpens) {
  auto what = batch({"1:/var/log/auth.log:Nov 24 10:00:01 web-01 sshd[812]: Failed password for root from "
                     "203.0.113.9 port 51122 ssh2",
                     "#!-agent startup {}", "5:sync:{}", "1:/x:b"});
  what.records.push_back({1, record_form::message, 5, "1:/x:plain"});
  what.records.push_back({0, record_form::message, 5, "1:wazuh-monitord:ossec: Manager started."});
  what.records.push_back({1, record_form::none, 5, "1:/x:not this one"});
  what.records.push_back({2, record_form::sealed, 5, seal("1:/x:of an agent that is not known")});
  auto steps = run(what);
  EXPECT_EQ(code, 0);
  std::vector<std::string> messages;
  std::uint32_t next = 0;
  for (const auto& one : steps) {
    EXPECT_NE(one.kind, step_kind::died) << one.text;
    if (one.kind == step_kind::begun) {
      EXPECT_EQ(one.record, next++);
    }
    if (one.kind == step_kind::opened) messages.push_back(one.text.substr(one.text.size() - 6));
  }
  EXPECT_EQ(next, 8u);
  EXPECT_THAT(messages, ElementsAre("2 ssh2", "1:/x:b", ":plain", "arted."));
  ASSERT_GE(steps.size(), 2u);
  EXPECT_EQ(steps.front().kind, step_kind::ready);
  EXPECT_EQ(steps.back().kind, step_kind::finished);
}

TEST_F(Child, BeginsWhereItIsTold) {
  auto what = batch({"1:/x:a", "1:/x:b"});
  what.first = 1;
  auto steps = run(what);
  ASSERT_EQ(steps.size(), 4u);
  EXPECT_EQ(steps[2], (step{step_kind::opened, 1, "1:/x:b"}));
}

TEST_F(Child, SaysWhyItCannotBegin) {
  auto steps = run(encode(batch({"1:/x:a"})),
                   [](const request&) { return fail(errc::ruleset_invalid, "rule 7 is broken"); });
  EXPECT_EQ(code, 1);
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].kind, step_kind::failed);
  EXPECT_THAT(steps[0].text, HasSubstr("rule 7 is broken"));
  steps = run("half", [](const request&) { return own_rules(); });
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].kind, step_kind::failed);
}

#if PICKET_FAULTS
TEST_F(Child, GoesOnBehindEveryLineOfWhichAWorkerDies) {
  ASSERT_TRUE(faults::set("crash-on", "MAGIC"));
  auto what = batch({"1:/x:MAGIC 1", "1:/x:a", "1:/x:MAGIC 2", "1:/x:MAGIC 3", "1:/x:b", "1:/x:MAGIC 4"});
  auto steps = run(what);
  what.evaluate = false;
  auto only_opened = run(what);
  faults::clear_all();
  std::vector<std::uint32_t> fatal;
  std::size_t opened = 0;
  for (const auto& one : steps) {
    if (one.kind == step_kind::died) fatal.push_back(one.record);
    opened += one.kind == step_kind::opened ? 1U : 0U;
  }
  EXPECT_THAT(fatal, ElementsAre(0, 2, 3, 5));
  EXPECT_EQ(opened, 6u) << "what they were is known all the same";
  EXPECT_EQ(steps.back().kind, step_kind::finished);
  for (const auto& one : only_opened)
    EXPECT_NE(one.kind, step_kind::died) << "nothing was to be evaluated";
}
#endif

} // namespace
} // namespace picket
