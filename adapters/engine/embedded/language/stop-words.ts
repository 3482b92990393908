// Words that tell nothing about a gig, folded. What is common in one language and telling in another is left out.

export const STOP_WORDS: readonly { language: 'en' | 'es' | 'de' | 'fr'; words: string }[] = [
  {
    language: 'en',
    words:
      'a an and any are as at be been but by can could d did do does for from had has have he her his how i if in into is ' +
      'it its just ll m me my no nor not of on or our out own re s she should so some such t than that the their them then ' +
      'there these they this those to too up us ve very was we were what when where which who why will with would you your',
  },
  {
    language: 'es',
    words:
      'al algo ante con como cual cuando de del desde donde e el ella ellas ellos en entre era es esa ese eso esta este ' +
      'esto estos fue ha hasta hay la las le les lo los mas me mi mis muy ni nos nuestra nuestro o os para pero por porque ' +
      'pues que quien se ser si sin sobre son soy su sus tambien te tu tus un una unas uno unos y ya yo',
  },
  {
    language: 'de',
    words:
      'aber als am an auch auf aus bei bin bis bist da damit das dass dein deine deinem deinen deiner dem den der des die ' +
      'dies diese diesem diesen dieser dir doch du durch ein eine einem einen einer eines er es fur haben hat ich ihr ihre ' +
      'ihren im in ist ja kann kein keine konnen man mein meine meinem meinen meiner mich mir mit nach nicht noch nur oder ' +
      'ohne sich sie sind so uber um und uns unser unsere unter vom von vor was wenn werde werden wie wir wird zu zum zur',
  },
  {
    language: 'fr',
    words:
      'a au aux avec c ce ces cette d dans de des du elle elles en es est et etre eux il ils j je l la le les leur leurs ' +
      'lui ma mais me meme mes moi mon n ne nos notre nous on ont ou par pas plus pour qu que qui s sa sans se ses si son ' +
      'sont sur suis ta te tes toi ton tu un une vos votre vous y',
  },
]
