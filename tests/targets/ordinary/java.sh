# A version, and a class that is not there.
java -version
java NoSuchClass
echo $?
