/** What no job may change without the word of an admin, whatever is configured. */
export const NEVER = [
  {
    globs: [".github/workflows/**", ".github/actions/**"],
    reason: "workflows and their actions run with the repository's secrets",
  },
  {
    globs: [".github/codex.yml", ".github/codex.yaml"],
    reason: "this file sets the limits of the jobs",
  },
  {
    globs: ["/codeowners", ".github/codeowners", "docs/codeowners"],
    reason: "this file says who has to approve changes",
  },
  {
    globs: [
      "**/.husky/**",
      "**/.githooks/**",
      "**/.git-hooks/**",
      "/githooks/**",
      "/git-hooks/**",
      "**/.lefthook/**",
      "**/.lefthook-local/**",
      "**/.huskyrc",
      "**/.huskyrc.*",
      "**/husky.config.*",
      "**/.simple-git-hooks.*",
      "**/simple-git-hooks.*",
    ],
    reason: "git hooks run on the machines of everybody who works here",
  },
  {
    globs: ["**/.gitconfig", "**/.gitmodules"],
    reason: "git takes settings from this file, on the machines of everybody who works here",
  },
] as const;

/** What a file that is shown first is about; it decides how its change is described. */
export type Topic = "agents" | "manifest" | "lock" | "other";

interface ShownGroup {
  topic: Topic;
  why: string;
  /** Names of files in any directory, in lower case. */
  names: string;
  /** As in the configuration, in lower case. */
  globs: readonly string[];
}

/** What a pull request opens with; the first group that fits counts. Names are separated by spaces. */
export const SHOWN_FIRST: readonly ShownGroup[] = [
  {
    topic: "agents",
    why: "instructions to later agents, which follow them in every task",
    names:
      "agents.md agents.override.md agent.md claude.md claude.local.md gemini.md qwen.md codex.md warp.md crush.md replit.md skill.md .cursorrules .cursorignore .windsurfrules .clinerules .roorules .roomodes .goosehints .rules .aiderignore .aider.conf.yml .mcp.json mcp.json mcp_config.json opencode.json opencode.jsonc copilot-instructions.md",
    globs: [
      "**/.{cursor,claude,codex,agents,agent,gemini,qwen,windsurf,clinerules,roo,kiro,continue,junie,amazonq,augment,opencode,crush,goose,trae,zed,openhands,factory,copilot,prompts,skills}/**",
      ".github/{instructions,prompts,agents,chatmodes,skills,hooks}/**",
      "*.{prompt,instructions,agent,chatmode}.md",
      "*.mdc",
      "/{skills,prompts}/**",
    ],
  },
  {
    topic: "lock",
    why: "decides which code is installed, and from where",
    names:
      "package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb deno.lock cargo.lock go.sum go.work.sum gemfile.lock gems.locked poetry.lock uv.lock pdm.lock pipfile.lock pixi.lock conda-lock.yml composer.lock mix.lock rebar.lock pubspec.lock package.resolved packages.lock.json project.assets.json paket.lock gradle.lockfile buildscript-gradle.lockfile verification-metadata.xml podfile.lock cartfile.resolved flake.lock conan.lock vcpkg-configuration.json module.bazel.lock manifest.toml chart.lock .terraform.lock.hcl mise.lock devbox.lock shard.lock stack.yaml.lock cabal.project.freeze renv.lock",
    globs: ["pylock*.toml", "requirements*.lock"],
  },
  {
    topic: "manifest",
    why: "installing or building runs what it names",
    names:
      "package.json package.json5 package.yaml pnpm-workspace.yaml lerna.json nx.json turbo.json rush.json deno.json deno.jsonc jsr.json bower.json pyproject.toml setup.py setup.cfg pipfile environment.yml environment.yaml conda.yml meta.yaml pixi.toml cargo.toml go.mod go.work gemfile gems.rb composer.json pom.xml build.gradle build.gradle.kts settings.gradle settings.gradle.kts init.gradle gradle.properties libs.versions.toml build.sbt build.sc project.clj deps.edn shadow-cljs.edn build.boot mix.exs rebar.config gleam.toml pubspec.yaml package.swift podfile cartfile brewfile packages.config paket.dependencies nuget.config global.json directory.build.props directory.build.targets directory.packages.props directory.build.rsp flake.nix default.nix shell.nix devenv.nix devbox.json conanfile.txt conanfile.py vcpkg.json cmakelists.txt cmakepresets.json meson.build configure.ac configure makefile.am workspace workspace.bazel module.bazel build build.bazel build.rs build.zig build.zig.zon elm.json spago.dhall stack.yaml cabal.project dune-project project.toml description cpanfile makefile.pl build.pl chart.yaml shard.yml platformio.ini binding.gyp",
    globs: [
      "requirements*.{txt,in}",
      "constraints*.txt",
      "requirements/**",
      "*.{gemspec,podspec,cabal,nimble,rockspec,opam,csproj,fsproj,vbproj,vcxproj,sqlproj,proj,props,targets,sln,slnx,sbt,bzl,bazel,gyp,gypi}",
      "*.gradle",
      "*.gradle.kts",
      "buildsrc/**",
      "project/*.{sbt,scala,properties}",
      "pubspec_overrides.yaml",
    ],
  },
  {
    topic: "other",
    why: "workflows that use this action run it with their secrets",
    names: "action.yml action.yaml",
    globs: [],
  },
  {
    topic: "other",
    why: "a CI or hosting system runs it by itself, with the secrets it keeps",
    names:
      ".gitlab-ci.yml .travis.yml jenkinsfile appveyor.yml .appveyor.yml azure-pipelines.yml bitbucket-pipelines.yml .drone.yml .drone.jsonnet .woodpecker.yml .cirrus.yml .cirrus.star buildspec.yml cloudbuild.yaml cloudbuild.yml wercker.yml codefresh.yml .semaphore.yml screwdriver.yaml codemagic.yaml bitrise.yml netlify.toml vercel.json vercel.ts now.json fly.toml render.yaml railway.json railway.toml heroku.yml app.json app.yaml procfile wrangler.toml wrangler.json wrangler.jsonc firebase.json amplify.yml apprunner.yaml serverless.yml serverless.ts samconfig.toml .readthedocs.yml .readthedocs.yaml renovate.json renovate.json5 .renovaterc .renovaterc.json .releaserc .goreleaser.yml .goreleaser.yaml codecov.yml .codecov.yml sonar-project.properties .mergify.yml .pr_agent.toml .coderabbit.yaml .coderabbit.yml",
    globs: [
      "azure-pipelines*.{yml,yaml}",
      "jenkinsfile*",
      "*.jenkinsfile",
      ".gitlab-ci*.{yml,yaml}",
      ".woodpecker*",
      ".releaserc.*",
    ],
  },
  {
    topic: "other",
    why: "runs by itself when somebody commits, enters the directory or starts a tool here",
    names:
      "lefthook.yml lefthook.yaml lefthook.toml lefthook.json .lefthook.yml .pre-commit-config.yaml .pre-commit-config.yml .pre-commit-hooks.yaml .overcommit.yml .lintstagedrc .envrc .env .flaskenv .npmrc .yarnrc .yarnrc.yml .pnpmfile.cjs .pnpmfile.mjs bunfig.toml .nvmrc .node-version .python-version .ruby-version .java-version .tool-versions mise.toml .mise.toml rust-toolchain rust-toolchain.toml .bazelrc .buckconfig pip.conf .pypirc .condarc .gemrc .irbrc .pryrc .rspec .mocharc.js .mocharc.cjs .bundle .curlrc .wgetrc .netrc .inputrc .bashrc .bash_profile .profile .zshrc .rprofile .renviron .octaverc .pdbrc .gdbinit .lldbinit .vimrc .exrc .nvimrc .nvim.lua .lvimrc .dir-locals.el .sublime-project",
    globs: [
      "lefthook-local.*",
      ".lefthook-local.*",
      ".lefthook.*",
      ".lintstagedrc.*",
      ".env.*",
      "**/.cargo/**",
      "**/.yarn/**",
    ],
  },
  {
    topic: "other",
    why: "editors act on it when the folder is opened",
    names: ".devcontainer.json .project .classpath",
    globs: [
      "**/.{vscode,vscode-test,idea,devcontainer,fleet,vs,theia,settings,nvim,helix}/**",
      "*.{code-workspace,sublime-project,iml,ipr,iws}",
    ],
  },
  {
    topic: "other",
    why: "build tools, test runners and CI run it by themselves",
    names:
      "makefile gnumakefile bsdmakefile justfile .justfile taskfile.yml taskfile.yaml rakefile thorfile guardfile capfile fastfile dangerfile dangerfile.js dangerfile.ts vagrantfile earthfile tiltfile skaffold.yaml dockerfile containerfile .dockerignore docker-bake.hcl docker-bake.json compose.yml compose.yaml gradlew gradlew.bat mvnw mvnw.cmd bazelisk sbt conftest.py noxfile.py tox.ini pytest.ini fabfile.py dodo.py sitecustomize.py usercustomize.py gulpfile.js gruntfile.js jakefile.js brocfile.js .eslintrc.js .eslintrc.cjs .babelrc.js .prettierrc.js .stylelintrc.js karma.conf.js wdio.conf.js protractor.conf.js metro.config.js phpunit.xml phpunit.xml.dist .php-cs-fixer.php rector.php phpstan.neon .pylintrc sconstruct sconscript wscript waf build.xml ant.xml packer.json bootstrap.sh install.sh preinstall.js postinstall.js entrypoint.sh docker-entrypoint.sh project.json import_map.json xmake.lua premake5.lua .pnp.cjs .pnp.loader.mjs",
    globs: [
      "*.mk",
      "*.mak",
      "*.pth",
      "dockerfile.*",
      "*.dockerfile",
      "containerfile.*",
      "docker-compose*.{yml,yaml}",
      "compose.*.{yml,yaml}",
      "gradle/wrapper/**",
      "gradle/*.gradle",
      "*.{config,conf,setup}.{js,cjs,mjs,ts,cts,mts}",
      ".*rc.{js,cjs,mjs,ts,cts,mts}",
      "{gulpfile,gruntfile,jakefile,vitest.workspace}.{js,cjs,mjs,ts,cts,mts,coffee}",
      "cmake/**",
      "*.cmake",
      "*.rake",
      "/ci/**",
    ],
  },
  {
    topic: "other",
    why: "linters, compilers and editors load code that it names",
    names:
      ".eslintrc .eslintrc.json .eslintrc.yml .eslintrc.yaml .babelrc .babelrc.json babel.config.json .prettierrc .prettierrc.json .prettierrc.yml .prettierrc.yaml .prettierrc.toml .stylelintrc .stylelintrc.json .stylelintrc.yml .swcrc .mocharc.json .mocharc.jsonc .mocharc.yml .nycrc .nycrc.json .taprc nodemon.json tslint.json jest.config.json tsconfig.json jsconfig.json .rubocop.yml .flake8 mypy.ini .golangci.yml .golangci.yaml .luacheckrc .credo.exs .formatter.exs .scalafix.conf dprint.json phpcs.xml psalm.xml .ansible-lint",
    globs: ["tsconfig.*.json"],
  },
  {
    topic: "other",
    why: "decides how git treats files, and what a review shows of them",
    names: ".gitattributes .lfsconfig .git-blame-ignore-revs",
    globs: [],
  },
  {
    topic: "other",
    why: "GitHub and its apps act on it",
    names: "",
    globs: [".github/**"],
  },
  {
    topic: "other",
    why: "tools act on such a directory by themselves, and people seldom look there",
    names: "",
    globs: ["/.*/*"],
  },
];
