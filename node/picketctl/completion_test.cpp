#include "node/picketctl/completion.hpp"

#include <array>
#include <cstdio>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"
#include "node/picketctl/testing.hpp"

namespace picket::ctl {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

std::string output_of(const std::string& command) {
  std::string text;
  std::array<char, 4'096> chunk{};
  auto* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  while (auto got = std::fread(chunk.data(), 1, chunk.size(), pipe))
    text.append(chunk.data(), got);
  ::pclose(pipe);
  return text;
}

/// What bash offers for the last of these words.
class BashCompletion : public ::testing::Test {
protected:
  void SetUp() override { script = scratch.write("completion.bash", bash_completion(all_commands())); }

  std::vector<std::string> offered(const std::vector<std::string>& words) {
    std::string quoted;
    for (const auto& word : words)
      quoted += " '" + word + "'";
    auto text = output_of("bash -c 'source " + script.string()
                          + "; COMP_WORDS=(picketctl \"$@\"); COMP_CWORD=$#; "
                            "_picketctl; printf \"%s\\n\" \"${COMPREPLY[@]}\"' bash"
                          + quoted);
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);)
      if (!line.empty()) lines.push_back(line);
    return lines;
  }

  picket::testing::scratch_directory scratch;
  std::filesystem::path script;
};

TEST_F(BashCompletion, OffersCommands) {
  EXPECT_THAT(offered({""}), AllOf(Contains("agent"), Contains("logtest"), Contains("completion")));
  EXPECT_THAT(offered({"log"}), ElementsAre("logtest"));
  EXPECT_THAT(offered({"agent", "ex"}), ElementsAre("export"));
  EXPECT_THAT(offered({"agent", ""}),
              UnorderedElementsAre("list", "show", "add", "remove", "key", "groups", "import", "export"));
  EXPECT_THAT(offered({"--json", "--config", "agent", "no"}), ElementsAre("node")) << "a value is no command";
}

TEST_F(BashCompletion, OffersOptionsOfTheCommandAndTheGlobalOnes) {
  EXPECT_THAT(offered({"agent", "list", "--"}),
              AllOf(Contains("--match"), Contains("--json"), Contains("--help"), Not(Contains("--strict"))));
  EXPECT_THAT(offered({"--tok"}), ElementsAre("--token-file"));
}

TEST_F(BashCompletion, OffersValues) {
  EXPECT_THAT(offered({"logtest", "--path", ""}), ElementsAre("logtest", "live"));
  EXPECT_THAT(offered({"agent", "list", "--status", "a"}), ElementsAre("active"));
  EXPECT_THAT(offered({"logtest", "--location", ""}), IsEmpty());
  auto file = scratch.write("client.keys", "");
  EXPECT_THAT(offered({"agent", "import", (scratch.path() / "cli").string()}), ElementsAre(file.string()));
  EXPECT_THAT(offered({"config", "check", "--json", (scratch.path() / "cli").string()}),
              ElementsAre(file.string()));
  std::filesystem::create_directory(scratch.path() / "rules-dir");
  EXPECT_THAT(offered({"ruleset", "check", (scratch.path() / "").string()}),
              ElementsAre((scratch.path() / "rules-dir").string()));
}

TEST(Completion, ScriptsAreWhatTheShellsAccept) {
  picket::testing::scratch_directory scratch;
  auto bash = scratch.write("bash", bash_completion(all_commands()));
  EXPECT_EQ(output_of("bash -n " + bash.string() + " 2>&1"), "");
  auto zsh = scratch.write("zsh", zsh_completion(all_commands()));
  EXPECT_EQ(output_of("if command -v zsh >/dev/null; then zsh -n " + zsh.string() + " 2>&1; fi"), "");
}

TEST(Completion, ANewCommandIsThereByItself) {
  command_info root{"picketctl",
                    "",
                    {},
                    {{"brew", "Makes 'tea': now", {{{"--cups"}, "How many", value_kind::text, {}}}, {}}}};
  EXPECT_THAT(bash_completion(root),
              AllOf(HasSubstr("\"/brew\") options=\"--cups\""), HasSubstr("words=\"brew\"")));
  EXPECT_THAT(zsh_completion(root), HasSubstr("'brew:Makes '\\''tea'\\'': now'"));
}

} // namespace
} // namespace picket::ctl
