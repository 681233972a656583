<?php
// Drives a ManageSieve server with PEAR's Net_Sieve, which Roundcube's managesieve plugin is built on: port, mechanism, user,
// password, certificate.
require 'Net/Sieve.php';

[, $port, $mechanism, $user, $password, $certificate] = $argv;

function fine($result, $what)
{
    if ($result instanceof PEAR_Error || $result === false) {
        echo $what, ': ', $result ? $result->getMessage() : 'false', "\n";
        exit(1);
    }
    return $result;
}

$tls = ['ssl' => ['cafile' => $certificate, 'peer_name' => 'localhost']];
$sieve = new Net_Sieve(null, null, 'localhost', 4190, $mechanism, '', false, false, true, $tls);
fine($sieve->connect('localhost', $port, $tls, true), 'connect');
fine($sieve->login($user, $password, $mechanism, '', false), 'login');
fine($sieve->hasExtension('fileinto'), 'fileinto');
fine($sieve->haveSpace('roundcube', 100), 'space');
fine($sieve->installScript('roundcube', "require [\"fileinto\"];\r\n# rule:[Lists]\r\nfileinto \"Lists\";\r\n", true), 'install');
fine($sieve->getActive() === 'roundcube', 'active');
fine($sieve->listScripts() === ['roundcube'], 'list');
fine(strpos($sieve->getScript('roundcube'), '# rule:[Lists]') > 0, 'get');
$wrong = $sieve->installScript('wrong', 'fileinto;');
fine($wrong instanceof PEAR_Error && strpos($wrong->getMessage(), 'line 1') !== false, 'a wrong script');
fine($sieve->setActive(''), 'deactivate');
fine($sieve->removeScript('roundcube'), 'remove');
$sieve->disconnect();
echo "done\n";
