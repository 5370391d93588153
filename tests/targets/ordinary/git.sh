# A repository's life.
git init -q -b main . && echo one > a && mkdir -p d/e && echo two > d/e/b && ln -s a link && chmod +x a
git add . && git commit -q -m 'First' && git status --short && echo more >> a && git status --porcelain
git diff | cat && git stash -q && git stash pop -q && git commit -q -a -m 'Second'
git log --stat --format='%h %an %ad %s' | cat
git checkout -q -b other HEAD~1 && git merge -q --no-edit main && git log --oneline --graph | cat
git clone -q . ../clone 2>&1 && git -C ../clone log --oneline && rm -rf ../clone
git gc -q && git fsck 2>&1 && git grep -n two && git ls-files -s && git archive HEAD | tar t
